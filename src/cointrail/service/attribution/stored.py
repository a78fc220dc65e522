"""The imported tags on the scripts of a snapshot: those of the whole database, or of a few scripts."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt

from cointrail.attribution.claims import Stated, is_its_file
from cointrail.attribution.store.moment import known_at
from cointrail.attribution.store.reader import TagStore, open_tags
from cointrail.attribution.store.records import ImportRecord
from cointrail.attribution.subject import networks_of
from cointrail.attribution.tag import Statement
from cointrail.bitcoin.network import NETWORKS
from cointrail.database import Database
from cointrail.database.address import Address
from cointrail.ledger.reader import Reader
from cointrail.ledger.schema import NONE
from cointrail.service.attribution.choice import TagChoice
from cointrail.service.attribution.gathered import Resolved, distinct_pairs
from cointrail.service.attribution.remembered import FEWEST, Lying, recall, remember

I64 = npt.NDArray[np.int64]


@contextmanager
def stored_tags(choice: TagChoice) -> Iterator[TagStore | None]:
    """The imported tags as they were known; None if there is no database, or nothing was imported by then.

    Raises:
        UsageError: the time is none.
        Unavailable: the database cannot be used.
    """
    at = None if choice.known_at is None else known_at(choice.known_at)
    address = Address.of(choice.database) if choice.database is not None else None
    if address is None or (address.file is not None and not address.file.exists()):
        yield None
        return
    with Database(address) as database, open_tags(database, at) as store:
        # Asked as of a time at which there was nothing, the answer says so; never used, tags were not asked.
        yield store if store.collections or at is not None else None


def of_database(reader: Reader, choice: TagChoice, scripts: I64 | None = None) -> Resolved | None:
    """The tags of all scripts, or of some.

    Args:
        reader: the ledger at a snapshot.
        choice: which database, as known when.
        scripts: int64 (n,), those whose tags are wanted; all if not given.

    Raises:
        UsageError, Unavailable: as `stored_tags`.
    """
    with stored_tags(choice) as store:
        if store is None:
            return None
        if scripts is not None:
            return _resolved(store, _of_scripts(reader, store, scripts))
        known = recall(reader, store.digest)
        if known is not None:
            lying, meaning = known
            found = _resolved(store, lying)
            if meaning == _meaning(found):
                return found
        tags = _of_all(reader, store)
        found = _resolved(store, tags)
        if len(tags.script_id) >= FEWEST:
            remember(reader, store.digest, tags, _meaning(found))
        return found


def _of_all(reader: Reader, store: TagStore) -> Lying:
    none = np.empty(0, np.int64)
    scripts, statements, imports = [none], [none], [none]
    absent = 0
    for chunk in store.all_scripts(network=_network(reader)):
        found = reader.find_script_hashes(chunk.script_hash)
        here = found != NONE
        absent += int((~here).sum())
        scripts.append(found[here])
        statements.append(chunk.statement_id[here])
        imports.append(chunk.import_id[here])
    return Lying(np.concatenate(scripts), np.concatenate(statements), np.concatenate(imports), absent)


def _of_scripts(reader: Reader, store: TagStore, scripts: I64) -> Lying:
    script_of = {reader.script_hash(script): script for script in scripts.tolist()}
    network = 1 << _network(reader)
    rows = [
        (script_of[digest], tag.statement_id, tag.since.import_id)
        for digest, tags in store.tags_of(list(script_of)).items()
        for tag in tags
        if tag.networks & network & networks_of(tag.statement.currency, tag.statement.network)
    ]
    columns = np.array(rows, np.int64).reshape(-1, 3).T
    return Lying(columns[0], columns[1], columns[2], 0)


def _network(reader: Reader) -> int:
    return list(NETWORKS).index(reader.snapshot.network)


def _resolved(store: TagStore, tags: Lying) -> Resolved:
    versions, at = np.unique(tags.import_id, return_inverse=True)
    pairs, number = np.unique(tags.statement_id * max(len(versions), 1) + at.reshape(-1), return_inverse=True)
    ids = [divmod(pair, len(versions)) for pair in pairs.tolist()]
    statements, aliases = store.statements(one for one, _ in ids), _aliases(store)
    imports = [store.imports[version] for version in versions.tolist()]
    stated = [_stated(statements[one], imports[place], aliases) for one, place in ids]
    distinct = {each: place for place, each in enumerate(dict.fromkeys(stated))}
    places = np.array([distinct[each] for each in stated], np.int64)
    script_id, numbers = distinct_pairs(tags.script_id, places[number.reshape(-1)])
    return Resolved(
        script_id=script_id,
        number=numbers,
        stated=tuple(distinct),
        lists=tuple(store.collections),
        digest=store.digest,
        absent=tags.absent,
        elsewhere=None,
        known_at=store.known_at,
    )


def _meaning(found: Resolved) -> str:
    """What the numbers of the statements mean: another database may number the same statements otherwise."""
    return hashlib.sha256(repr(found.stated).encode()).hexdigest()


def _stated(statement: Statement, version: ImportRecord, aliases: Mapping[str, tuple[str, str]]) -> Stated:
    """An imported tag is nobody's own word, whatever its form."""
    alias_of, alias_by = ("", "") if statement.actor else aliases.get(statement.label.casefold(), ("", ""))
    return Stated(
        statement=statement,
        collection=version.collection,
        known_since=version.imported_utc,
        alias_of=alias_of,
        alias_by=alias_by,
        content=version.sha256 if is_its_file(statement.source, version.file_name) else "",
    )


def _aliases(store: TagStore) -> dict[str, tuple[str, str]]:
    """Identifier of the actor, and whose pack says so, by what else it is called, in lower case.

    A name of two actors is nobody's.
    """
    found: defaultdict[str, defaultdict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for each in store.actors():
        for name in (each.actor.label, *each.actor.aliases):
            found[name.casefold()][each.actor.id].add(each.collection)
    return {
        name: (actor, " and ".join(sorted(packs)))
        for name, actors in found.items()
        if len(actors) == 1
        for actor, packs in actors.items()
    }

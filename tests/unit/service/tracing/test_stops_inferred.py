"""Clusters that behave like services end a walk: as an inference, after the tags, and the same after a look at home."""

import csv
import json
import re
from dataclasses import asdict, replace

import numpy as np
import pytest

from cointrail.cluster.forest.view import Forest
from cointrail.errors import Interrupted
from cointrail.ledger.reader import Reader
from cointrail.profile.roles.service_like import RULE, VERSION, digest_of_shipped
from cointrail.service.answers import Rule
from cointrail.service.maintenance import ingest
from cointrail.service.names import address_or_none
from cointrail.service.simulations import simulate
from cointrail.service.tracing.cash_out import cash_out
from cointrail.service.tracing.export import write_flows
from cointrail.service.tracing.funding import funding
from cointrail.service.tracing.job import TraceJob
from cointrail.service.tracing.paths import paths
from cointrail.service.tracing.requests import write_arrivals, write_funding
from cointrail.service.tracing.stops import KIND, UNNAMED, find_stops, with_inferred
from cointrail.service.tracing.trace import answer_of
from cointrail.trace.limits import Limits
from cointrail.trace.services import NO_SERVICE, NONE, Services

STATEMENT = re.compile(r"cluster of \S+ behaves like a service \(p = 0\.9[5-9], inference\)")
SERVICES = {"exchange", "gambling", "processor", "mixer"}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """(folder of the world, reader) of a simulated economy."""
    folder = tmp_path_factory.mktemp("inferred")
    simulate(folder / "world", scale="small", seed=1)
    assert ingest(folder / "world" / "chain" / "plain", folder / "ledger").complete
    with Reader(folder / "ledger") as reader:
        yield folder / "world", reader


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    monkeypatch.setenv("COINTRAIL_HOME", str(tmp_path / "home"))


@pytest.fixture
def found(world):
    """What is inferred where nobody names anybody."""
    services, used = find_stops(world[1], None, service_like=True)
    assert used is None
    return services


def truth(folder, table):
    with (folder / "truth" / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def first_address(reader, services, number=0):
    members, _ = Forest(reader).members(int(services.roots[number]))
    return address_or_none(reader, reader.script_pubkey(int(members.min())))


def initiators(folder):
    """The kind of whoever made each transaction, by its displayed txid."""
    kinds = {row["entity_id"]: row["kind"] for row in truth(folder, "entities")}
    return {
        bytes.fromhex(row["txid"])[::-1].hex(): kinds.get(row["initiator_id"]) for row in truth(folder, "transactions")
    }


def market(folder):
    """The address of the first payment to the market that an exchange made itself."""
    row = next(row for row in truth(folder, "payments") if row["route"] == "direct")
    return bytes.fromhex(row["txid"]), int(row["vout"])


def wallet_of_market(folder, reader):
    txid, vout = market(folder)
    script = int(reader.column("output", "script")[reader.outputs_of(reader.find_transactions(txid)[-1])[vout]])
    return f"cluster:{address_or_none(reader, reader.script_pubkey(script))}"


def test_none_is_asked_for_by_default(world):
    assert find_stops(world[1], None) == (NONE, None)


def test_they_are_named_as_nobody(found):
    assert (found.named, len(found.names)) == (0, found.inferred.count)
    assert len(found.names) >= 1
    assert len(set(found.names)) == len(found.names)
    assert set(found.kinds) == {KIND}
    for name, said in zip(found.names, found.said, strict=True):
        assert STATEMENT.fullmatch(said)
        assert name == f"{UNNAMED}: {said.partition(' behaves')[0]}"
    assert (found.inferred.rule, found.inferred.version, found.inferred.model) == (RULE, VERSION, digest_of_shipped())


def test_what_funding_ends_at_left_a_service_in_truth(world, tmp_path):
    """And nothing is attributed, no exchange is named, and a list for requests says that nobody is."""
    folder, reader = world
    answer = funding(reader, wallet_of_market(folder, reader), service_like=True)
    sources = [source for payment in answer.payments for source in payment.sources]
    assert sources
    who = initiators(folder)
    assert {who[source.withdrawal.outpoint.partition(":")[0]] for source in sources} <= SERVICES
    assert all(STATEMENT.fullmatch(source.attributed.statement) and source.attributed.inferred for source in sources)
    assert "exchange" not in answer.verdicts
    assert Rule(RULE, VERSION) in answer.rules
    assert "attributed to" not in json.dumps(asdict(answer))
    write_funding(answer, tmp_path / "list.csv")
    with (tmp_path / "list.csv").open(encoding="utf-8", newline="") as file:
        assert {row["basis"].partition(":")[0] for row in csv.DictReader(file)} == {
            "inference, resting on no assertion"
        }
    plain = funding(reader, wallet_of_market(folder, reader))
    assert (plain.inferred, Rule(RULE, VERSION) in plain.rules) == (None, False)
    assert not any(payment.sources for payment in plain.payments)


def test_tags_win(world, found):
    folder, reader = world
    packs = sorted((folder / "inputs" / "tags").iterdir())
    services, used = find_stops(reader, packs, service_like=True)
    plain, _ = find_stops(reader, packs)
    assert used is not None
    assert services.inferred.count + services.inferred.left == found.inferred.count
    assert services.inferred.left >= 1
    assert services.names[: services.named] == plain.names
    everything = np.arange(reader.counts.script)
    numbers, named = services.of(Forest(reader), everything), plain.of(Forest(reader), everything)
    assert (numbers[named != NO_SERVICE] == named[named != NO_SERVICE]).all()
    assert (numbers[named == NO_SERVICE] != NO_SERVICE).sum() == sum(
        Forest(reader).size(root) for root in services.roots[services.root_service >= services.named].tolist()
    )


def test_a_cluster_that_any_tag_speaks_for_is_not_asked_about(world, found):
    reader = world[1]
    named = Services(("shop",), ("shop",), roots=found.roots[:1], root_service=np.zeros(1, np.int64))
    services = with_inferred(reader, NONE, named)
    assert (services.inferred.count, services.inferred.left) == (found.inferred.count - 1, 1)
    assert found.roots[0] not in services.roots


@pytest.mark.parametrize("stops", [False, True])
def test_an_address_that_a_tag_names_alone_is_not_asked_about(world, found, stops):
    """Its cluster is all the same; where the tag names a stop, the address is the tag's."""
    reader, forest = world[1], Forest(world[1])
    members, _ = forest.members(int(found.roots[0]))
    named = Services(("it",), ("shop",), scripts=members[:1], script_service=np.zeros(1, np.int64), said=("a list",))
    services = with_inferred(reader, named if stops else NONE, named)
    numbers = services.of(forest, members)
    assert numbers[0] == (0 if stops else NO_SERVICE)
    assert set(numbers[1:].tolist()) == {services.named}
    assert len(set(services.scripts.tolist())) == len(services.scripts)


def test_the_asker_s_own_wallet_is_none(world, found):
    """Neither does its money end there, nor does anybody else's come from there."""
    _, reader = world
    own = first_address(reader, found)
    answer = funding(reader, f"cluster:{own}", service_like=True)
    assert answer.inferred == found.inferred
    assert own not in {each.attributed.service.rpartition(" ")[2] for each in answer.services}
    spent = cash_out(reader, [f"cluster:{own}"], service_like=True, limits=Limits(hops=2, min_sat=10_000), rounds=0)
    assert own not in {each.attributed.service.rpartition(" ")[2] for each in spent.destinations}


def test_it_is_worked_out_once(world, found, tmp_path):
    reader = world[1]

    def never(_scored, _waiting):
        return True

    again, _ = find_stops(reader, None, service_like=True, scoring=never)
    assert (again.names, again.roots.tolist(), again.said) == (found.names, found.roots.tolist(), found.said)
    (file,) = (tmp_path / "home" / "cache").glob("service-like-*.npz")
    sound = file.read_bytes()
    with np.load(file) as opened:
        columns = {name: opened[name] for name in opened.files}
    wrong = [
        {"roots": columns["roots"] + 1}, {"firsts": columns["firsts"] + reader.counts.script},
        {"probability_ppm": columns["probability_ppm"] * 0}, {"firsts": columns["firsts"][:0]},
    ]  # fmt: skip
    for change in wrong:
        np.savez(file, **(columns | change))
        with pytest.raises(Interrupted):
            find_stops(reader, None, service_like=True, scoring=never)
    file.write_bytes(sound[:100])
    with pytest.raises(Interrupted):
        find_stops(reader, None, service_like=True, scoring=never)
    assert find_stops(reader, None, service_like=True)[0].names == found.names
    assert file.read_bytes() == sound


def test_a_trace_says_that_it_is_an_inference_also_when_it_is_taken_up_again(world, found, tmp_path):
    folder, reader = world
    txid, vout = market(folder)
    seed = f"{txid[::-1].hex()}:{vout}"
    job = TraceJob.begin(reader, [seed], direction="backward", service_like=True, limits=Limits(transactions=1))
    job.run()
    job.save(tmp_path / "job.npz")
    again = TraceJob.resume(reader, tmp_path / "job.npz", Limits(transactions=1_000))
    again.run()
    flows = again.finish()
    answer = answer_of(again, flows)
    assert answer.inferred == found.inferred
    assert Rule(RULE, VERSION) in answer.rules
    ended = [each for each in answer.endpoints if each.service]
    assert ended
    for each in ended:
        assert (each.detail, set(each.reasons.values())) == (KIND, {"service"})
        assert STATEMENT.fullmatch(each.inferred)
    assert {each.statement for each in answer.services} == {each.inferred for each in ended}
    for suffix in ("svg", "json", "graphml"):
        for path in write_flows(reader, flows, tmp_path / f"trace.{suffix}"):
            text = path.read_text("utf-8")
            assert "attributed to" not in text
            assert RULE in text
    assert "behaves like a service" in (tmp_path / "trace.fifo.svg").read_text("utf-8")


def test_cash_outs_and_paths_end_there(world, found, tmp_path):
    folder, reader = world
    members, _ = Forest(reader).members(int(found.roots[0]))
    paid = [output for script in members.tolist() for output in reader.outputs_of_script(script)]
    makers = reader.transaction_of_outputs(np.array(paid))
    spent = np.asarray(reader.column("input", "output")[reader.column("transaction", "first_input")[makers]], np.int64)
    others = (spent >= 0) & (found.of(Forest(reader), reader.column("output", "script")[spent]) == NO_SERVICE)
    seed = int(spent[np.flatnonzero(others)[0]])
    maker = int(reader.transaction_of_outputs(seed))
    text = f"{bytes(reader.column('transaction', 'txid')[maker])[::-1].hex()}:{seed - reader.outputs_of(maker).start}"
    answer = cash_out(reader, [text], service_like=True)
    assert any(each.attributed.category == KIND for each in answer.destinations)
    assert "attributed to" not in json.dumps(asdict(answer))
    write_arrivals(answer, tmp_path / "list.csv")
    assert "attributed to" not in (tmp_path / "list.csv").read_text("utf-8")
    way = paths(reader, [text], [wallet_of_market(folder, reader)], service_like=True)
    assert way.inferred == found.inferred
    assert Rule(RULE, VERSION) in way.rules
    assert way.stops.get("service", 0) >= 1


def test_what_is_attributed_stays_so(world):
    """Beside an inference the tags' own services keep their words."""
    folder, reader = world
    table = folder.parent / "mine.csv"
    services, _ = find_stops(reader, None, service_like=True)
    first = first_address(reader, services)
    table.write_text(f"address,actor,category\n{first},Mine,exchange\n", "utf-8")
    answer = funding(reader, wallet_of_market(folder, reader), services=table, service_like=True)
    (total,) = [each for each in answer.services if each.attributed.service == "Mine"]
    assert total.attributed.statement == "attributed to Mine by mine.csv"
    assert not total.attributed.inferred
    assert answer.inferred == replace(services.inferred, count=services.inferred.count - 1, left=1)

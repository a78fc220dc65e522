"""Profiles and counterparties: an ordinary address, the busiest of a large ledger, and wallets of a million.

Ordinary addresses are asked of the large ledger in a warm process. No ledger of this suite has an address with a
million transactions or a cluster of a million addresses: two are made (`large_wallets`), `busy` and `wide`.
*First page* is the whole profile with 25 unspent outputs and 200 steps of the balance, or the ranking with 25 rows;
*whole* has all steps and all rows with their names, made one after the other. *Service-like* is the score of every busy
cluster of the large ledger, as `--service-like` needs it the first time.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import large_wallets

ROUNDS = 3
MANY = 1_000_000
ORDINARY = 200


def measure(ledger: Path, rounds: int = ROUNDS, seed: int = 1, many: int = MANY) -> dict[str, Any]:
    """Milliseconds of ordinary addresses, seconds of large wallets.

    Args:
        ledger: a large one.
        rounds: repetitions of what is large.
        seed: of the choice of ordinary addresses.
        many: transactions of the busy address, addresses of the wide wallet.
    """
    import numpy as np

    from cointrail.ledger.reader import Reader

    with Reader(ledger) as reader:
        found: dict[str, Any] = {"transactions": reader.counts.transaction, "many": many}
        found["ordinary"] = _ordinary(reader, np.random.default_rng(seed))
        paid = np.bincount(reader.column("output", "script"))
        busiest = int(paid.argmax())
        found["service_like"] = _service_like(reader, rounds)
        found["busiest"] = {"outputs": int(paid[busiest])} | _large(reader, busiest, "", rounds)
    with tempfile.TemporaryDirectory(prefix="cointrail-profiles-") as folder:
        for name, make in (("busy", large_wallets.busy), ("wide", large_wallets.wide)):
            place = Path(folder) / name
            script = make(place, many)
            with Reader(place) as reader:
                prefix = "cluster:" if name == "wide" else ""
                found[name] = _large(reader, script, prefix, rounds)
    return found


def _service_like(reader: Any, rounds: int) -> dict[str, Any]:
    """Score every cluster that did enough."""
    from cointrail.cluster.forest.view import Forest
    from cointrail.profile.roles.service_clusters import service_clusters

    forest = Forest(reader)
    found = service_clusters(reader, forest)
    seconds = _median(lambda: service_clusters(reader, forest), rounds)
    return {"asked": found.asked, "found": len(found.roots), "seconds": seconds}


def _ordinary(reader: Any, random: Any) -> dict[str, Any]:
    """Addresses as outputs have them: of random outputs, so used ones come more often; none with over 1,000 outputs."""
    import numpy as np

    from cointrail.service.names import name_of
    from cointrail.service.profiles.counterparties import counterparties_of
    from cointrail.service.profiles.profile import profile

    script = reader.column("output", "script")
    paid = np.bincount(script)
    chosen = np.unique(script[random.integers(0, reader.counts.output, 2 * ORDINARY)])
    texts = [name_of(reader, each) for each in chosen[paid[chosen] < 1_000].tolist()[:ORDINARY]]
    asked: dict[str, Callable[[str], Any]] = {
        "profile": lambda text: profile(reader, text),
        "counterparties": lambda text: counterparties_of(reader, text),
    }
    found: dict[str, Any] = {"addresses": len(texts)}
    for name, ask in asked.items():
        seconds = []
        for text in (texts[0], *texts):
            began = time.perf_counter()
            ask(text)
            seconds.append(time.perf_counter() - began)
        found |= {
            f"{name}_median_ms": 1000 * statistics.median(seconds[1:]),
            f"{name}_worst_ms": 1000 * max(seconds[1:]),
        }
    return found


def _large(reader: Any, script: int, prefix: str, rounds: int) -> dict[str, Any]:
    from cointrail.service.names import name_of
    from cointrail.service.profiles.counterparties import Counterparties
    from cointrail.service.profiles.profile import Profile

    text = prefix + name_of(reader, script)

    def all_of(profile: Any) -> int:
        profile.answer(steps=10**9)
        return sum(1 for _ in profile.unspent())

    asked: dict[str, Callable[[], Any]] = {
        "profile_first": lambda: Profile(reader, text).answer(),
        "profile_whole": lambda: all_of(Profile(reader, text)),
        "counterparties_first": lambda: Counterparties(reader, text).answer(),
        "counterparties_whole": lambda: sum(page.end - page.first for page in Counterparties(reader, text).pages()),
        "by_cluster_first": lambda: Counterparties(reader, text, by="cluster").answer(),
    }
    answer = asked["profile_first"]()
    found: dict[str, Any] = {
        "scripts": answer.scripts,
        "transactions": answer.transactions,
        "unspent_outputs": answer.unspent_outputs,
        "counterparties": asked["counterparties_first"]().total,
    }
    return found | {f"{name}_seconds": _median(ask, rounds) for name, ask in asked.items()}


def _median(ask: Callable[[], Any], rounds: int) -> float:
    ask()
    seconds = []
    for _ in range(rounds):
        began = time.perf_counter()
        ask()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)

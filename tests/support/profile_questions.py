"""What profiles are asked in tests: random wallets of a ledger, and random filters."""

from datetime import UTC, datetime

from cointrail.cluster.forest.view import Forest
from cointrail.service.names import name_of
from cointrail.service.profiles.asked import Asked


def wallets(reader, random, count):
    """(text, scriptPubKeys) of random scripts, every second one spent from, and of their clusters."""
    forest, paid = Forest(reader), reader.column("output", "script")
    taken = [output for output in reader.column("input", "output").tolist() if output >= 0]
    for number in range(count):
        output = random.choice(taken) if taken and number % 4 > 1 else random.randrange(reader.counts.output)
        script = int(paid[output])
        text = name_of(reader, script)
        if number % 2:
            members = forest.members(script)[0].tolist()
            yield f"cluster:{text}", frozenset(reader.script_pubkey(each) for each in members)
        else:
            yield text, frozenset([reader.script_pubkey(script)])


def filters(random, plain):
    """(what is asked, first height, last height) at random: nothing, heights, times, amounts."""
    low, high = sorted(random.choices(range(plain.height + 1), k=2))
    least, most = sorted(random.choices([0, 1, 1000, 10**6, 10**8, 5 * 10**9], k=2))
    yield Asked(), 0, plain.height
    yield Asked(low, str(high)), low, high
    yield Asked(min_sat=least, max_sat=most), 0, plain.height
    begin, end = sorted((plain.times[low], plain.times[high]))
    inside = plain.heights_between(begin, end)
    times = [datetime.fromtimestamp(each, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for each in (begin, end)]
    first, last = (inside[0], inside[-1]) if inside else (high, high - 1)
    if inside:
        yield Asked(*times, min_sat=least), first, last

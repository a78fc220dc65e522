"""Roles by plain loops over rows, written from the method pages alone: nothing of `profile.roles` is used here."""

from collections import defaultdict
from fractions import Fraction
from math import isqrt

MONTH = 30 * 86_400


class Plain:
    """A ledger as lists: who pays whom, when."""

    def __init__(self, reader):
        self.script = reader.column("output", "script").tolist()
        self.value = reader.column("output", "value_sat").tolist()
        self.spent = reader.column("input", "output").tolist()
        first_in = [*reader.column("transaction", "first_input").tolist(), len(self.spent)]
        first_out = [*reader.column("transaction", "first_output").tolist(), len(self.script)]
        starts = reader.column("block", "first_transaction").tolist()
        times = reader.column("block", "median_time").tolist()
        self.now = times[-1]
        self.inputs, self.outputs, self.time, self.maker = [], [], [], {}
        self.spender = {}
        height = 0
        for tx in range(len(first_in) - 1):
            while height + 1 < len(starts) and starts[height + 1] <= tx:
                height += 1
            self.inputs.append([row for row in self.spent[first_in[tx] : first_in[tx + 1]] if row >= 0])
            self.outputs.append(list(range(first_out[tx], first_out[tx + 1])))
            self.time.append(times[height])
            for row in self.outputs[-1]:
                self.maker[row] = tx
            for row in self.inputs[-1]:
                self.spender[row] = tx
        self.paid = defaultdict(list)
        for row, script in enumerate(self.script):
            self.paid[script].append(row)

    def spends_of(self, script):
        return sorted({self.spender[row] for row in self.paid[script] if row in self.spender})

    def payer(self, tx):
        """Script of the first input, None for a coinbase."""
        return self.script[self.inputs[tx][0]] if self.inputs[tx] else None


def plain_deposits(plain, service, cluster):
    """The rule of docs/methods/deposit-address.md: {script: (service, sure, sweeps, funders, siblings, payers)}.

    `service` and `cluster` are functions of a script; service gives None for nobody.
    """

    def scripts_paid(tx):
        return {plain.script[row] for row in plain.outputs[tx]}

    def paid_alone(tx):
        paid = {service(script) for script in scripts_paid(tx)}
        return paid.pop() if len(paid) == 1 else None

    def clusters(txs, name):
        payers = [plain.payer(tx) for tx in set(txs)]
        return len({cluster(each) for each in payers if each is not None and service(each) != name}) + (None in payers)

    def is_till(script, name):
        return any(any(service(each) != name for each in scripts_paid(tx)) for tx in plain.spends_of(script))

    def is_public(script, name):
        rows = [row for row in plain.paid[script] if plain.value[row] >= 10_000]
        makers = [plain.maker[row] for row in rows]
        makers = [tx for tx in makers if plain.payer(tx) is None or service(plain.payer(tx)) != name]
        beside = [tx for tx in makers if paid_alone(tx) != name]
        return bool(makers) and Fraction(len(beside), len(makers)) >= Fraction(1, 5)

    def swept_to(tx):
        name = paid_alone(tx)
        return name if name is not None and all(is_till(each, name) for each in scripts_paid(tx)) else None

    def emptied_to(script):
        names = {swept_to(tx) for tx in plain.spends_of(script)}
        return names.pop() if len(names) == 1 and service(script) is None else None

    found = {}
    for script in list(plain.paid):
        name = emptied_to(script)
        if name is None:
            continue
        sweeps = plain.spends_of(script)
        strangers = {tx: {plain.script[row] for row in plain.inputs[tx]
                          if service(plain.script[row]) != name} for tx in sweeps}  # fmt: skip
        if any(emptied_to(each) != name for group in strangers.values() for each in group):
            continue
        funders = clusters([plain.maker[row] for row in plain.paid[script]], name)
        gone = [row for row in plain.paid[script] if row in plain.spender]
        dwell = sorted(plain.time[plain.spender[row]] - plain.time[plain.maker[row]] for row in gone)
        dwell = dwell[(len(dwell) - 1) // 2]
        due = sum(plain.value[row] for row in plain.paid[script]
                  if row in plain.spender or plain.time[plain.maker[row]] <= plain.now - MONTH)  # fmt: skip
        left = sum(plain.value[row] for row in gone)
        if not funders or dwell >= MONTH or 10 * left < 9 * due or not due:
            continue
        payers = {
            tx: clusters([plain.maker[row] for row in plain.inputs[tx] if service(plain.script[row]) != name], name)
            for tx in sweeps
        }
        private = [tx for tx in sweeps if not any(is_public(each, name) for each in scripts_paid(tx))]
        sure = (
            len(sweeps) >= 2
            or (bool(private) and funders >= 3)
            or any(len(strangers[tx]) >= 4 and payers[tx] >= 3 for tx in private)
        )
        siblings = max(len(group) for group in strangers.values()) - 1
        found[script] = (name, sure, len(sweeps), funders, siblings, max(payers.values()))
    return found


def plain_segments(plain, scripts):
    """The rule of docs/methods/wallet-segments.md.

    Gives {script: (segment, external, gathered, change, gatherings, payouts)}.
    """
    own = set(scripts)

    def spends_wallet(tx):
        return any(plain.script[row] in own for row in plain.inputs[tx])

    def pays_others(tx):
        return any(plain.script[row] not in own for row in plain.outputs[tx])

    unspent = {
        script: sum(plain.value[row] for row in plain.paid[script] if row not in plain.spender) for script in own
    }
    whole, found = sum(unspent.values()), {}
    for script in own:
        makers = [plain.maker[row] for row in plain.paid[script]]
        external = sum(not spends_wallet(tx) for tx in makers)
        gathered = sum(spends_wallet(tx) and not pays_others(tx) for tx in makers)
        change = len(makers) - external - gathered
        spends = plain.spends_of(script)
        payouts = sum(map(pays_others, spends))
        dwell = sorted(plain.time[plain.spender[row]] - plain.time[plain.maker[row]]
                       for row in plain.paid[script] if row in plain.spender) or [0]  # fmt: skip
        last = max(plain.time[plain.spender.get(row, plain.maker[row])] for row in plain.paid[script])
        cold = not external and not payouts and whole and 20 * unspent[script] >= whole and plain.now - last >= MONTH
        if cold:
            segment = "cold"
        elif (
            external and not gathered and not change and spends and not payouts and dwell[(len(dwell) - 1) // 2] < MONTH
        ):
            segment = "deposit"
        elif payouts and (gathered or payouts >= 10):
            segment = "hot"
        elif gathered and not external and not payouts:
            segment = "collection"
        elif change and not external and not gathered:
            segment = "change"
        elif external:
            segment = "receive"
        else:
            segment = "unclear"
        found[script] = (segment, external, gathered, change, len(spends) - payouts, payouts)
    return found


def quarter_octaves(count):
    """floor(4 log2(count + 1)) in whole numbers."""
    power, root = (count + 1) ** 4, 0
    while 1 << (root + 1) <= power:
        root += 1
    assert isqrt(power) == (count + 1) ** 2
    return root


def plain_behaviour(plain, scripts, unit):
    """The features of one unit; `unit` is a function of a script."""
    scripts = set(scripts)
    me = unit(next(iter(scripts)))
    rows = [row for script in scripts for row in plain.paid[script]]
    payers = [plain.payer(plain.maker[row]) for row in rows]
    payers = ["mined" if each is None else unit(each) for each in payers]
    spends = sorted({plain.spender[row] for row in rows if row in plain.spender})
    paid, payees = defaultdict(int), []
    for tx in spends:
        away = [row for row in plain.outputs[tx] if unit(plain.script[row]) != me]
        payees.append(len(away))
        for row in away:
            paid[unit(plain.script[row])] += plain.value[row]
    outside = {each for each in payers if each != me}
    fans = sorted(count for count in payees if count)
    used = sorted(len(plain.paid[each]) for each in scripts)
    given = sorted(len(plain.inputs[tx]) for tx in spends) or [0]
    gone = [row for row in rows if row in plain.spender]
    rest = sorted((plain.time[plain.spender[row]] - plain.time[plain.maker[row]]) // 3_600 for row in gone) or [0]
    times = [plain.time[plain.maker[row]] for row in rows] + [plain.time[tx] for tx in spends]
    days = 1 + (max(times) - min(times)) // 86_400
    others = [row for row, payer in zip(rows, payers, strict=True) if payer != me]
    received = sum(plain.value[row] for row in rows)
    return {
        "payers": quarter_octaves(len(outside)),
        "payees": quarter_octaves(len(paid)),
        "payments_in": quarter_octaves(sum(each != me for each in payers)),
        "payouts": quarter_octaves(len(fans)),
        "batch_share": 100 * sum(count >= 5 for count in fans) // len(fans) if fans else 0,
        "fan_out_most": quarter_octaves(fans[(len(fans) - 1) * 9 // 10]) if fans else 0,
        "gather_share": 100 * (len(spends) - len(fans)) // len(spends) if spends else 0,
        "inputs_most": quarter_octaves(given[(len(given) - 1) * 9 // 10]) if spends else 0,
        "reuse_most": quarter_octaves(used[(len(used) - 1) * 9 // 10]),
        "dwell": quarter_octaves(rest[(len(rest) - 1) // 2]) if gone else 0,
        "days": quarter_octaves(days),
        "pace": quarter_octaves(16 * (len(rows) + len(spends)) // days),
        "round_share": 100 * sum(plain.value[row] % 100_000 == 0 for row in others) // len(others) if others else 0,
        "balance_share": 100 * (received - sum(plain.value[row] for row in gone)) // received if received else 0,
        "single_use_share": 100 * sum(len(plain.paid[each]) == 1 for each in scripts) // len(scripts),
        "coinbase_share": 100 * payers.count("mined") // len(rows),
        "one_payee_share": 100 * max(paid.values()) // sum(paid.values()) if paid else 0,
        "return_share": 100 * len(outside & set(paid)) // len(paid) if paid else 0,
    }

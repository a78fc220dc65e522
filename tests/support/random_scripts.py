"""Random scripts for outputs and random items for inputs; some scripts come again and again."""

from random import Random

from script_zoo import Form, Lock, anyone_can_spend, locked_zoo, push, spendable_zoo, witness_program

from cointrail.bitcoin.script import ScriptType

FORMS = (Form.P2WSH, Form.P2WSH, Form.P2SH, Form.P2SH, Form.NESTED_P2WSH, Form.P2TR, Form.BARE)
TAPROOT_LEAVES = 12
REMEMBERED = 500


class RandomScripts:
    """Draws locks; half of the spendable ones were drawn before."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._known: list[Lock] = []
        self._zoo = [lock for lock in spendable_zoo() if len(lock.script_pubkey) < 600]
        self._small_locked = [lock for lock in locked_zoo() if len(lock.script_pubkey) < 600]

    def spendable(self) -> Lock:
        """A lock that anyone can spend: known, from the zoo or new."""
        random, known = self._random, self._known
        chance = random.random()
        if chance < 0.5 and known:
            return random.choice(known)
        if chance < 0.55:
            return random.choice(self._zoo)
        form = random.choice(FORMS)
        if form is Form.P2TR:
            tag = b"leaf%d" % random.randrange(TAPROOT_LEAVES)
            lock = anyone_can_spend(form, tag, drops=2)
        else:
            lock = anyone_can_spend(form, random.randbytes(6), random.choice((0, 1, 2, 2, 2, 4)))
        if len(known) < REMEMBERED:
            known.append(lock)
        else:
            known[random.randrange(REMEMBERED)] = lock
        return lock

    def locked(self) -> Lock:
        """A lock that nobody can spend: the usual kinds with new data, else from the zoo."""
        random = self._random
        chance = random.random()
        if chance < 0.25:
            return Lock("p2pkh", b"\x76\xa9\x14" + random.randbytes(20) + b"\x88\xac", ScriptType.P2PKH)
        if chance < 0.5:
            return Lock("p2wpkh", witness_program(0, random.randbytes(20)), ScriptType.P2WPKH)
        if chance < 0.6:
            return Lock("p2tr", witness_program(1, random.randbytes(32)), ScriptType.P2TR)
        if chance < 0.7:
            key = bytes([2 + random.getrandbits(1)]) + random.randbytes(32)
            return Lock("p2pk", push(key) + b"\xac", ScriptType.P2PK)
        if chance < 0.85:
            return Lock("op-return", b"\x6a" + push(random.randbytes(random.randrange(81))), ScriptType.OP_RETURN)
        return random.choice(self._small_locked)


def lookalike(random: Random) -> bytes:
    """Data that looks like a signature or a public key, or like nothing."""
    kind = random.randrange(10)
    if kind < 4:
        return _ecdsa(random)
    if kind < 6:
        return bytes([2 + random.getrandbits(1)]) + random.randbytes(32)
    if kind == 6:
        return bytes([random.choice((4, 6, 7))]) + random.randbytes(64)
    if kind == 7:
        return random.randbytes(64)
    if kind == 8:
        return random.randbytes(64) + random.choice((b"\x01", b"\x83", b"\x02"))
    return random.randbytes(random.randrange(80))


def _ecdsa(random: Random) -> bytes:
    """The outer form of a DER signature with a low or high R and a hash type."""
    r = random.randbytes(32) if random.random() < 0.6 else b"\x00" + random.randbytes(32)
    body = b"\x02" + bytes([len(r)]) + r + b"\x02\x20" + random.randbytes(32)
    return b"\x30" + bytes([len(body)]) + body + random.choice((b"\x01", b"\x01", b"\x01", b"\x81", b"\x03"))

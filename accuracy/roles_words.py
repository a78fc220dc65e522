"""The prose about roles in docs/accuracy.md."""

ROLES = """\
Each service is known by one tagged address, which speaks for its L1 cluster. A world has three exchanges, three
gambling sites, one payment processor and one mixer, always in the same styles: figures say how a rule does with these
styles, other wallets and other habits, and nothing about a service that works otherwise."""

DEPOSITS = """\
`deposit_address`, apart from the services' own scripts; wrong: another's. *recall*: of scripts on which customers truly
pay the service, outside its L1 cluster, swept or not, those found surely. Alpha's lie inside its cluster, since it
sweeps with a hot coin: they are segments, below. Heron is a merchant that a PayJoin joins with the market and with
some payers: what is wrong there are moves among people whom L1 took for Heron. LuckyDice's till is paid beside change,
so that its deposits are likely ones, never sure after one sweep."""

SEGMENTS = """\
Scripts of the custodial services, their deposit addresses included: the truth table's role, `change` where a script is
only ever paid change beside a payment. A cold store that was never spent together with hot coins is not among a
service's scripts, so none is found here; see the next part. `another's` are scripts that the services' clusters or
deposit addresses hold wrongly. *recall* is of the services' scripts of that role, whether or not they were reached."""

SEGMENT_MATRIX = "What they truly are, and the segment:"

STORES = """\
`cold_store`: scripts outside a custodial service's own that it alone paid, in great sums. Only Alpha has any, two or
three a world: the figures say that the rule does what its page says, and no more."""

TRANSACTIONS = "Their transactions, by what they truly were:"

LIKE = """\
L1 clusters with 20 transactions and 10 payees or more. *all*: those that behave like a service; *does not*: those that
do not. The others abstain. Weights and calibration come from training worlds alone; on these the figures are of units
the weights have seen."""

CONFUSION = """\
By the kind of entity that controls most scripts of the unit. Markets, merchants and miners are no services here: they
hold nobody's accounts. That score and truth agree so well is a property of the imitation, in which no person pays as
many others as a service does:"""

CALIBRATION = "Units by tenth of their probability:"

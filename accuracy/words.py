"""The prose of docs/accuracy.md."""

CAVEATS = """\
- **The worlds are an imitation.** No figure from them is a rate of the real chain, and none may be given to a court as
  one. What they show: that a rule does what its page says, how rules compare, and where they fail. Some rules look
  better here than they can be: the change of simulated people always has the type of their wallet or of the payment,
  their forms never change, and nearly every payment of two outputs has change
  ([the simulator](explanation/the-simulator.md)).
- **Checks of one economy are not independent.** Bounds are computed as if they were: a wallet that errs once errs in
  all its transactions, and one wrong link makes thousands of wrong pairs. Pairs are the worst: read the counts of
  transactions beside them.
- `training` worlds have the wallet models the rules were looked at with, `holdout` worlds others. Cite `holdout`.
- Few worlds, and rare events in a fixed number each: a share of PayJoins, channels or CoinJoins says nothing about how
  frequent they are on the real chain.
- The lists of real CoinJoins were labelled by their collectors' rules, which resemble the gate's; the emulation's
  wallets are known exactly. Not measured on real data at all: change rules, co-spend, PayJoin, same key.
- A rule's *recall* is the share of eligible transactions with change in which it names it rightly; of a partition, the
  share of a controller's pairs that it joins. It is reported, not promised: a cluster is a lower bound.
- *bound of wrong*: one-sided 95 % bound of the share of wrong ones (Clopper and Pearson)."""

CLUSTERS = """\
Pairs of scripts in one cluster whose controllers differ are wrong. *Court* is the probability that a random other
address of the cluster has another controller: for a random address in a cluster of several, and for a random address of
a random controller. *without PayJoins*: L1 is joined anew without PayJoins, which nothing on a chain shows; the line
below leaves out dual-funded channels too. *L2 without guards* is there for what the guards prevent. L3 adds the model
trained with independent truth; on `training` worlds it judges rows it has seen."""

LINKS = """\
Pairs of scripts that one transaction joins; *transactions* counts transactions, wrong if they join any two controllers.
*kind* is what a transaction that joins strangers truly was."""

SILENT_SAME_KEY = """\
The worlds hold no two spellings of one key, so `same_key` was not measured here; it is a fact, not an inference."""

APART = "Pairs of strangers in CoinJoins that are kept apart, by protocol; *wrong* were joined:"

SIGNS = """\
Each sign alone, training and holdout together: the pairs of strangers it keeps apart, how many transactions of several
scripts it suppresses, how many of those have one controller, and its share of ordinary ones:"""

ORDINARY = """\
Ordinary transactions of several scripts and one controller that are suppressed, by what they truly were. Stonewall and
Tx0 imitate a CoinJoin on purpose or by shape; wages are equal payments, an honest false alarm:"""

REAL = "Real transactions that spend several scripts, and the emulation:"

CHANGES = """\
Each rule alone, whenever it fires: is the output it leaves change? The packaged table has the same by script type and
shape."""

VOTE = "What the ledger stores for L2, each output once:"

TOGETHER = """\
Transactions of two outputs, one of them change, in which both families vote for one output. If errors were independent,
*both wrong* would be the product of the two and the coefficient (phi) zero. F1 and F4 read the same spender, so the
vote asks for a static rule beside them (METHODS.md 2.3); their line answers its open question, for these worlds."""

NAMED = """\
Tests: models of the world, then whose labels. Outputs named at the threshold, by script type of the inputs. *recall* is
of all change in the tested rows:"""

CALIBRATION = "Calibration: outputs by tenth of their probability, and the share that is change:"

IMPORTANCE = """\
Importance: loss of ROC area on holdout worlds, independent truth, when a feature is shuffled; the first 20. Features
that say the same share theirs:"""

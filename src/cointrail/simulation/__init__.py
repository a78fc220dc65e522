"""An economy with ground truth, written as real block files. See docs/explanation/the-simulator.md.

Stands on `bitcoin` and `kernels` only. Everything follows from (seed, generator version) by integer arithmetic: same
seed, same bytes, on any machine. It holds no signing code: signatures are placeholders of true length.
"""

GENERATOR_VERSION = 1

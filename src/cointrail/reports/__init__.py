"""What leaves the program: tables, graph formats and drawings of results, each with its provenance.

Takes results of lower rooms and a reader, gives files whose bytes depend on nothing else. Facts, inferences and
assertions stay apart in every format: `basis` in the data, the kind of line in a drawing.
"""

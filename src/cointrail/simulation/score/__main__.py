"""`python -m cointrail.simulation.score RESULTS WORLD`: writes RESULTS/score.json."""

import sys
from pathlib import Path

from cointrail.errors import CointrailError
from cointrail.simulation.score.scorer import score, write


def main(arguments: list[str]) -> int:
    """Score and say where the result lies; 5 if a row fails."""
    if len(arguments) != 2:
        print("usage: python -m cointrail.simulation.score RESULTS WORLD", file=sys.stderr)
        return 2
    results, world = (Path(argument) for argument in arguments)
    try:
        result = score(results, world)
        write(result, results / "score.json")
    except CointrailError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    print(results / "score.json")
    return 5 if any(row.status == "fail" for row in result.rows) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

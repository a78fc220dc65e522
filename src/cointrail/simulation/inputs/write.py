"""Writing everything the investigator gets."""

from datetime import datetime
from pathlib import Path

from cointrail.simulation.economy import Economy
from cointrail.simulation.inputs.returns import write_returns
from cointrail.simulation.inputs.seized.media import write_media
from cointrail.simulation.inputs.tables import day_of, write_prices, write_undercover
from cointrail.simulation.inputs.tags import write_tags
from cointrail.simulation.plot.plot import Plot
from cointrail.simulation.truth import Truth
from cointrail.simulation.world import World


def write_inputs(folder: Path, world: World, economy: Economy, plot: Plot, truth: Truth) -> None:
    """Write the folder `inputs` and add the rows of `artefacts` and `contradictions` to the truth.

    Args:
        folder: where; does not exist yet.
        world: after its last block.
        economy: gives the prices and the scale.
        plot: finished.
        truth: complete but for these two tables.
    """
    for name in ("tags", "returns"):
        (folder / name).mkdir(parents=True)
    write_undercover(folder / "undercover.csv", plot.purchases)
    days = sorted({day_of(int(datetime.fromisoformat(each.time_utc).timestamp())) for each in truth.payments})
    last = world.chain.time - world.chain.spacing
    write_prices(folder / "prices.csv", economy.prices, last, days, world.stream("price gaps"))
    write_tags(folder / "tags", world.entities, truth)
    truth.contradictions += write_returns(folder / "returns", world, truth.accounts, plot.movements, plot.names)
    scale = economy.scale
    truth.artefacts += write_media(folder / "seized", world, plot, truth, scale.decoys, scale.noise_bytes)

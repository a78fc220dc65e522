"""What a bitcoin was worth in money: imported tables, each with its source. Nothing is fetched."""

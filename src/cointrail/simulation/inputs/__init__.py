"""What the investigator gets (SCENARIO.md 4.1): test purchases, prices, tag packs, exchange returns, seized media."""

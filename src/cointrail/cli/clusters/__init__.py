"""Commands about common control: clusters, change, proofs, overlays."""

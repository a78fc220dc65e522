"""Questions about exposure and risk: addresses in, frozen answers out."""

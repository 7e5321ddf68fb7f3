"""Floor 3: what the person wants: the TOML file, the environment, and where files live."""

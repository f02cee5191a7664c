"""Programs that solve mixed-integer models: one file each; each says what it does not take."""

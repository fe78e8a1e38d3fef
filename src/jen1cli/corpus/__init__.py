"""The training music: composed by rule, rendered and captioned; reproducible from seeds."""

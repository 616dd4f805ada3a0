"""The trainings of other methods: their data, objectives and losses."""

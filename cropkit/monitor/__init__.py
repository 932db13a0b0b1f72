"""How collections are: alerts as functions of rows and a clock, figures, and who is told."""

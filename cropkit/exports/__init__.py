"""What was decided and cropped, written in the formats of other programs: one module for each."""

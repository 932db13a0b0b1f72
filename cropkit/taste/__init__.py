"""Learning from decisions where the next crop belongs: NumPy and Pillow, nothing downloaded.

A box is a row of four fractions of the upright image, left, top, right and bottom, as in
`NormalizedBox`; many are an array (N, 4). What is learned of an image are some hundred numbers of a
thumbnail (`features`), never its pixels.

==============  ================================================================================
`features`      where an image is salient, detailed and colourful, as numbers
`boxes`         overlap, displacement, ratios, of many boxes at once
`head`          a box from features: ridge regression on what differs from the median box
`alternatives`  up to three boxes that cover what else is likely
`portfolio`     which predictor a reviewer's own decisions prefer, and when to change it
`examples`      decisions to learn from: of a data set, or of a collection
`evaluation`    how good the boxes are, with intervals
`calibration`   how often a reviewer leaves a box as it is, by how sure its source says that it is
`assurance`     what a random sample proves of the rest, whenever it is looked at
`promise`       how many images may be accepted unseen, by a sample that was decided
`review_plan`   that sample as it was drawn, kept in a collection
==============  ================================================================================
"""

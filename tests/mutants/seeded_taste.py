"""Bugs in what is learned."""

from seeding import Mutant, mutant

HEAD, PORTFOLIO, LEARNER = "taste/head.py", "taste/portfolio.py", "taste/learner.py"
DOCUMENTS, HOUSE, IN_HOUSES = "taste/documents.py", "taste/house.py", "tests/taste/test_house.py"
IN_HEADS, IN_PORTFOLIO = "tests/taste/test_heads.py", "tests/taste/test_portfolio.py"
IN_FIGURES, IN_REVIEWS = "tests/taste/test_evaluation.py", "tests/review/test_review_learning.py"

TASTE: tuple[Mutant, ...] = (
    mutant(
        "an image is learned mirrored with its box as it was",
        HEAD,
        "both = np.concatenate([wanted, boxes.mirrored(wanted)])",
        "both = np.concatenate([wanted, wanted])",
        IN_HEADS,
    ),
    mutant(
        "a regression is taken that is no better than the median",
        HEAD,
        "if gains.mean() > max(most, gains.std() / np.sqrt(len(gains))):",
        "if gains.mean() > max(most, -1.0) or chosen is None:",
        IN_HEADS,
    ),
    mutant(
        "features that are far out are not held back",
        HEAD,
        "scaled = np.clip((of - self.mean) / self.scale, -_REACH, _REACH)",
        "scaled = (of - self.mean) / self.scale * np.inf",
        IN_HEADS,
    ),
    mutant(
        "a head of other features is taken",
        HEAD,
        'if document["features"] == each',
        "if each",
        IN_HEADS,
    ),
    mutant(
        "numbers of a head that are none are taken",
        DOCUMENTS,
        "if not (np.abs(array) <= LARGEST).all() or not array.size",
        "if not array.size",
        IN_HEADS,
    ),
    mutant(
        "the second box covers what the first one does",
        "taste/alternatives.py",
        "np.maximum(worth, covered).mean(axis=1).argmax()",
        "worth.mean(axis=1).argmax()",
        IN_HEADS,
    ),
    mutant(
        "a bias is subtracted that is to be added",
        PORTFOLIO,
        "boxes.valid(asked.suggested + shift)",
        "boxes.valid(asked.suggested - shift)",
        IN_PORTFOLIO,
    ),
    mutant(
        "a bias is believed whole from the first decision on",
        PORTFOLIO,
        "np.median(corrections, axis=0) * count / (count + _SHRINK)",
        "np.median(corrections, axis=0) * 3",
        IN_PORTFOLIO,
    ),
    mutant(
        "a predictor is judged by what it was learned from",
        PORTFOLIO,
        "known.some(fold != part), known.some(fold == part)",
        "known, known.some(fold == part)",
        IN_PORTFOLIO,
    ),
    mutant(
        "a leader stays that has become worse than nothing",
        PORTFOLIO,
        "leading = self.name if self._still_leads(overlap) else FIRST",
        "leading = self.name if self.name in overlap else FIRST",
        IN_PORTFOLIO,
    ),
    mutant(
        "a box has another ratio than the habit",
        "taste/boxes.py",
        "np.stack([ratio, 1 / ratio], axis=-1) ** 0.5",
        "np.stack([1 / ratio, ratio], axis=-1) ** 0.5",
        IN_PORTFOLIO,
    ),
    mutant(
        "an image is predicted by a head that has seen it",
        "taste/evaluation.py",
        'answers = _of_head(head, known.some(fold == part), "")',
        'answers = _of_head(head, known.some(fold != part), "")',
        IN_FIGURES,
    ),
    mutant(
        "overlap is told where displacement is meant",
        "taste/evaluation.py",
        '"displacement": boxes.displacement(of, wanted),',
        '"displacement": boxes.iou(of, wanted),',
        IN_FIGURES,
    ),
    mutant(
        "examples are looked for outside of the data set",
        "taste/data_set.py",
        "return root.read(image, Bounds.from_environment()).data",
        "return (root.path / image).read_bytes()",
        IN_FIGURES,
    ),
    mutant(
        "what was learned comes after what is proposed",
        LEARNER,
        "every = (learned, *suggestions)",
        "every = (*suggestions, learned)",
        IN_REVIEWS,
    ),
    mutant(
        "no image is left as if nothing had been learned",
        LEARNER,
        "choice.name == FIRST or is_control(sha256)",
        "choice.name == FIRST",
        IN_REVIEWS,
    ),
    mutant(
        "nothing is kept for another day",
        LEARNER,
        "                self._keep(digest.tobytes().hex(), Seen(row, box))",
        "                digest.tobytes()",
        IN_REVIEWS,
    ),
    mutant(
        "a house leads that own decisions have refuted",
        PORTFOLIO,
        "return HOUSE if gained.mean() >= 0 else FIRST",
        "return HOUSE if gained.mean() >= -1 else FIRST",
        IN_HOUSES,
    ),
    mutant(
        "a house corrects a model that it does not know",
        HOUSE,
        "is_known = bool(model) and model == self.model",
        "is_known = bool(model)",
        IN_HOUSES,
    ),
    mutant(
        "a house leads that was no better than the centre",
        HOUSE,
        "return mean is not None and mean.low > 0",
        "return mean is not None",
        IN_HOUSES,
    ),
    mutant(
        "a taste's agreement is that with what it was learned from",
        HOUSE,
        "_agreement(history, met[way], met[FIRST]),",
        "_agreement(history, history.wanted, met[FIRST]),",
        IN_HOUSES,
    ),
    mutant(
        "words are taken for numbers",
        DOCUMENTS,
        'if array.dtype.kind not in "iuf" or',
        "if",
        IN_HOUSES,
    ),
    mutant(
        "a face is on the same side in a mirror",
        "taste/features.py",
        "seen[:, at] = np.where(has_face, 1 - right, 0)",
        "seen[:, at] = np.where(has_face, left, 0)",
        "tests/taste/test_vision.py",
    ),
    mutant(
        "a model's file may be any",
        "taste/vision.py",
        "if hashlib.sha256(data).hexdigest() != DIGESTS[name]:",
        "if not data:",
        "tests/taste/test_vision.py",
    ),
)

"""Tables of outputs of some labels, whose names are as hostile as names of folders can be, for tests of the page."""

import numpy as np

CLASSIFIERS = {"logistic_regression": 0.06, "random_forest": 0.12}
_FACTS = {
    "leaks": {"looked_at": 0, "same_content": 2, "two_labels": 1, "cosine": 0.6, "hash_bits": 4, "dropped": False}
}


def tables_of(images: list[dict], rng: np.random.Generator) -> tuple[dict[str, list[dict]], dict[str, dict]]:
    """The tables that the rooms write, by name, and their facts."""
    labels = list(dict.fromkeys(row["label"] for row in images))
    train, test = ([row for row in images if row["split"] == split] for split in ("train", "test"))
    tables: dict[str, list[dict]] = {"reduced": images, "predictions": [], "confused": [], "mistakes": []}
    tables |= {"confusion": [], "scores": [], "scores_without_leaks": [], "label_scores": [], "duplicates": []}
    for classifier, wrong in CLASSIFIERS.items():
        _predict(tables, images, labels, (classifier, wrong), rng)
    tables["typical"] = [next(row for row in train if row["label"] == label) for label in labels]
    tables["suspects"] = [
        {
            **row,
            "suggested": labels[(labels.index(row["label"]) + 1) % len(labels)],
            "label_probability": 0.02,
            "suggested_probability": p,
        }
        for row, p in zip(train[:: max(1, len(train) // 40)], np.linspace(0.99, 0.5, len(train)), strict=False)
    ]
    pairs = list(zip(test[:30], train[:30], strict=False))
    tables["leaks"] = [{**_pair(one, other), "cosine": 0.99, "hash_bits": 2} for one, other in pairs]
    tables["twins"] = [{**_pair(one, other), "twin_split": other["split"]} for one, other in pairs]
    _examined(tables, images, rng)
    uses = {"train": len(train), "test": len(test)}
    leaks = _FACTS["leaks"] | {"judged": len(test), "looked_at": len(test), "leaked": len(pairs)}
    variance = {"components": 138, "dimension": 1280, "variance_share": 0.9, "rows": len(images), "uses": uses}
    sizes = {"distinct": 3, "smallest": (75, 100), "median": (100, 100), "largest": (160, 100)}
    twins = {"pairs": len(pairs), "same_content": 2, "across_sides": len(pairs), "two_labels": 1}
    suspects = {"looked_at": len(train), "images": len(tables["suspects"])}
    classified = {"judged": "test", "uses": uses, "leaks": leaks, "suspects": suspects, "fit_s": {"random_forest": 9.5}}
    classified |= {"unlearnt": {"labels": 1, "images": 2, "names": [labels[0]]}, "duplicates_across_splits": 2}
    examined = {"images": len(images), "twins": twins, "sizes": sizes}
    return tables, {"reduce": variance | {"split_by": "folder or table"}, "examine": examined, "classify": classified}


def _predict(tables, images, labels, classifier, rng) -> None:
    """Predictions of one classifier: labels near each other are taken for each other."""
    name, share = classifier
    counts = np.zeros((len(labels), len(labels)), np.int64)
    for row in images:
        place = labels.index(row["label"])
        near = (place + int(rng.choice((-1, 1, 1, 8)))) % len(labels)
        said = near if row["split"] == "test" and rng.random() < share else place
        told = {**row, "classifier": name, "prediction": labels[said], "confidence": float(rng.uniform(0.4, 1))}
        tables["predictions"].append(told)
        if row["split"] == "test":
            # Each test image stands for 20, so that a label is judged on more than two.
            counts[place, place] += 18
            counts[place, said] += 2
            if said != place:
                tables["mistakes"].append(told)
    _score(tables, name, labels, counts)


def _score(tables, name, labels, counts) -> None:
    at = {"classifier": name, "split": "test"}
    for place, taken in np.argwhere(counts).tolist():
        count = int(counts[place, taken])
        cell = {**at, "label": labels[place], "prediction": labels[taken], "images": count}
        tables["confusion"].append(cell)
        if place != taken:
            wrong = [row for row in tables["mistakes"] if row["classifier"] == name]
            path = next(
                (r["path"] for r in wrong if (r["label"], r["prediction"]) == (labels[place], labels[taken])), None
            )
            share = count / counts[place].sum()
            between = {"share_low": share / 2, "share_high": min(1, 2 * share)}
            tables["confused"].append({**cell, "share": share, **between, "path": path, "confidence": 0.9})
    hits, total, said = counts.diagonal(), counts.sum(axis=1), counts.sum(axis=0)
    recall, precision = hits / total, hits / np.maximum(said, 1)
    for place, label in enumerate(labels):
        low, high = _between(recall[place], total[place])
        f1 = 2 * hits[place] / (total[place] + said[place])
        score = {"precision": precision[place], "recall": recall[place], "f1": f1, "images": int(total[place])}
        tables["label_scores"].append({**at, "label": label, **score, "recall_low": low, "recall_high": high})
    images = int(total.sum())
    for metric, value in (("accuracy", hits.sum() / images), ("macro_f1", float(recall.mean()))):
        low, high = _between(value, images)
        score = {**at, "metric": metric, "value": value, "images": images, "low": low, "high": high}
        tables["scores"].append(score | {"group_low": low - 0.01, "group_high": high})
        tables["scores_without_leaks"].append(score | {"value": value - 0.02, "low": low - 0.02, "high": high - 0.02})


def _examined(tables, images, rng) -> None:
    """What ``examine`` writes."""
    counts: dict[tuple[str, str], int] = {}
    for row in images:
        counts[row["label"], row["split"]] = counts.get((row["label"], row["split"]), 0) + 1
    tables["label_counts"] = [{"label": one, "split": split, "images": n} for (one, split), n in counts.items()]
    sizes = [(100, 100), (160, 100), (75, 100)]
    tables["sizes"] = [{"width": w, "height": h, "images": 10 * n + 3} for n, (w, h) in enumerate(sizes)]
    root = images[0]["path"].partition("/Test/")[0]
    bad = {"kind": "rejected", "reason": "truncated", "images": 3, "length": 9, "detail": "ends within its header"}
    tables["left_out"] = [{**bad, "path": f"{root}/bad/{n}.jpg"} for n in range(3)]
    tables["left_out"].append(
        {"kind": "skipped", "reason": "not_an_image_name", "images": 1, "path": f"{root}/notes.txt"}
    )
    issues = [("dark", "brightest", True, 0.32, 9, True), ("blurred", "sharpness", True, 4.0, 40, True)]
    issues.append(("bright", "darkest", False, 0.95, len(images) - 3, False))
    names = ("issue", "figure", "below", "threshold", "images", "told")
    tables["picture_issues"] = [
        dict(zip(names, issue, strict=True)) | {"share": issue[4] / len(images)} for issue in issues
    ]
    tables["pictures"] = [
        {**row, "issue": issue, "value": 0.1 * n} for issue in ("dark", "blurred") for n, row in enumerate(images[:9])
    ]
    spots = {label: rng.normal(0, 3, 2) for label, _ in counts}
    tables["map"] = [
        {**row, "first": float(x), "second": float(y)}
        for row in images[:2_000]
        for x, y in [spots[row["label"]] + rng.normal(0, 0.5, 2)]
    ]
    ratio = np.exp(-np.arange(1280) / 60)
    ratio /= ratio.sum()
    tables["variance"] = [
        {"component": n + 1, "explained_variance_ratio": r, "cumulative_ratio": min(1.0, c)}
        for n, (r, c) in enumerate(zip(ratio.tolist(), np.cumsum(ratio).tolist(), strict=True))
    ]


def _pair(one: dict, other: dict) -> dict:
    twin = {"twin_path": other["path"], "twin_label": other["label"], "same_content": False}
    return {name: one[name] for name in ("path", "label", "split")} | twin


def _between(share: float, images: int) -> tuple[float, float]:
    """Near enough to Wilson's interval."""
    half = 1.96 * np.sqrt((share * (1 - share) + 1 / images) / images)
    return max(0.0, float(share - half)), min(1.0, float(share + half))

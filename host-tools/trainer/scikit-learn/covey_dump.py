"""Writes a trained scikit-learn classifier, or k-means, as JSON for `covey model import`.

    from covey_dump import covey_dump
    covey_dump(estimator, X, "model.json", features=["temperature", "humidity"])

`estimator` may be a Pipeline of a StandardScaler and one of those below. `X` is some of the data: with its predictions it travels along (the first
1,000 rows), so that the import can tell on how many of them the model still says the same.
"""
import json

import numpy


def covey_dump(estimator, X, path, features=None):
    X = numpy.asarray(X, dtype=float)[:1000]
    steps = [step for _, step in getattr(estimator, "steps", [(None, estimator)])]
    *scalers, model = steps
    dump = {
        "format": "covey-scikit-learn",
        "version": 1,
        "estimator": type(model).__name__,
        "features": list(features or [f"x{i}" for i in range(X.shape[1])]),
        "classes": [str(label) for label in getattr(model, "classes_", [])],
        "scaler": {"mean": scalers[0].mean_.tolist(), "scale": scalers[0].scale_.tolist()} if scalers else None,
        "rows": X.tolist(),
    }
    predicted = estimator.predict(X)
    classes = list(getattr(model, "classes_", []))
    dump["predictions"] = [classes.index(label) if classes else int(label) for label in predicted]

    def tree(one):
        t = one.tree_
        return {
            "left": t.children_left.tolist(),
            "right": t.children_right.tolist(),
            "feature": t.feature.tolist(),
            "threshold": t.threshold.tolist(),
            "value": t.value[:, 0, :].tolist(),
        }

    if hasattr(model, "tree_"):
        dump["trees"] = [tree(model)]
    elif hasattr(model, "init_"):
        dump["trees"] = [tree(one) for one in numpy.ravel(model.estimators_)]
        dump["rate"] = model.learning_rate
        dump["priors"] = model.init_.class_prior_.tolist()
    elif hasattr(model, "estimators_"):
        dump["trees"] = [tree(one) for one in model.estimators_]
    elif hasattr(model, "coefs_"):
        dump["activation"] = model.activation
        dump["weights"] = [layer.T.tolist() for layer in model.coefs_]
        dump["biases"] = [layer.tolist() for layer in model.intercepts_]
    elif hasattr(model, "coef_"):
        dump["weights"] = [model.coef_.tolist()]
        dump["biases"] = [model.intercept_.tolist()]
    elif hasattr(model, "theta_"):
        dump["priors"] = model.class_prior_.tolist()
        dump["means"] = model.theta_.tolist()
        dump["variances"] = model.var_.tolist()
    elif hasattr(model, "cluster_centers_"):
        dump["centers"] = model.cluster_centers_.tolist()
    else:
        raise TypeError(f"covey_dump knows no {type(model).__name__}")
    with open(path, "w") as file:
        json.dump(dump, file)

"""Made the dumps beside it, with scikit-learn 1.2.1 of Debian 12: `python3 make.py`. Tests read the dumps and need no Python."""
import csv
import os
import sys
import warnings

import numpy
from sklearn.cluster import KMeans
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

here = os.path.dirname(os.path.abspath(__file__))
root = os.path.join(here, "../../../..")
sys.path.insert(0, os.path.join(root, "host-tools/trainer/scikit-learn"))
from covey_dump import covey_dump

warnings.simplefilter("ignore")


def data(name):
    with open(os.path.join(root, "bench/models/data", name)) as file:
        header, *rows = list(csv.reader(file))
    return header[:-1], numpy.array([[float(x) for x in row[:-1]] for row in rows]), numpy.array([row[-1] for row in rows])


estimators = {
    "tree": DecisionTreeClassifier(max_depth=4, random_state=1),
    "forest": RandomForestClassifier(n_estimators=10, max_depth=6, random_state=1),
    "boosted": GradientBoostingClassifier(n_estimators=10, max_depth=3, random_state=1),
    "logistic": make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)),
    "mlp": make_pipeline(StandardScaler(), MLPClassifier((16,), max_iter=1000, random_state=1)),
    "mlp-unscaled": MLPClassifier((12, 8), max_iter=2000, random_state=1),
    "bayes": GaussianNB(),
    "kmeans": make_pipeline(StandardScaler(), KMeans(3, n_init=10, random_state=1)),
}
for of, name, kinds in [("iris", "iris.csv", estimators), ("cancer", "breast-cancer.csv", ["forest", "boosted", "logistic", "mlp"])]:
    features, X, y = data(name)
    if of == "cancer":
        X, y, features = X[::4, :10], y[::4], features[:10]
    for kind in kinds:
        covey_dump(estimators[kind].fit(X, y), X, os.path.join(here, f"{of}-{kind}.json"), features)

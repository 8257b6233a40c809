#!/usr/bin/env python3
"""Writes tests/import/onnx/sklearn_*: small models of scikit-learn as skl2onnx exports them, with an input and ONNX Runtime's answers.

To be run where scikit-learn, skl2onnx and onnxruntime are installed; the files are committed.
"""
import pathlib
import warnings

import numpy as np
import onnxruntime
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LinearRegression, LogisticRegression, SGDClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, StandardScaler
from skl2onnx import to_onnx

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "tests/import/onnx"

warnings.filterwarnings("ignore")
rng = np.random.default_rng(1)
x = (rng.standard_normal((300, 5)) * [1, 10, 100, 0.1, 5] + [0, 50, 1000, 0, -5]).astype(np.float32)
score = (x - x.mean(0)) / x.std(0) @ [1, -1, 0.5, 2, -0.5]
three, two = np.digitize(score, [-1, 1]), (score > 0).astype(int)
models = {
    # Scaler, LinearClassifier with SOFTMAX, ZipMap, classes of text
    "text": make_pipeline(StandardScaler(), LogisticRegression()).fit(x, np.array(["low", "mid", "high"])[three]),
    # ArrayFeatureExtractor of columns, Normalizer L2, two classes: LOGISTIC, Normalizer L1
    "two": make_pipeline(SelectKBest(k=3), Normalizer(), LogisticRegression(C=100)).fit(x, two),
    # operators of the first set, and a name chosen by ArrayFeatureExtractor
    "mlp": make_pipeline(StandardScaler(), MLPClassifier((6,), max_iter=200, random_state=0)).fit(x, three),
    # 1 / (1 + exp(-x)), which becomes infinite on the way
    "sgd": make_pipeline(StandardScaler(), SGDClassifier(loss="log_loss", random_state=0)).fit(x, three),
    # LinearRegressor of two targets
    "numbers": LinearRegression().fit(x, np.stack([score * 3 + 300, score ** 2], 1)),
}
few = x[:8]
np.save(FOLDER / "sklearn_x.npy", few)
for name, model in models.items():
    network = to_onnx(model, x[:1], target_opset={"": 17, "ai.onnx.ml": 3})
    (FOLDER / f"sklearn_{name}.onnx").write_bytes(network.SerializeToString())
    session = onnxruntime.InferenceSession(network.SerializeToString())
    y = session.run(None, {session.get_inputs()[0].name: few})[-1]
    if isinstance(y, list):  # ZipMap's
        y = [list(each.values()) for each in y]
    np.save(FOLDER / f"sklearn_{name}_y.npy", np.asarray(y, np.float32).reshape(len(few), -1))

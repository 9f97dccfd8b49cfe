"""scikit-learn's MLPClassifier: the same network and optimizer without dropout, so it does less work."""

import time
import warnings

from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from work import BATCH, EPOCHS, EPSILON, RATE, SEED, load, report

(x_train, y_train), (x_test, y_test) = load()
model = MLPClassifier(
    (128,),
    batch_size=BATCH,
    max_iter=EPOCHS,
    learning_rate_init=RATE,
    epsilon=EPSILON,
    alpha=0,  # no weight penalty, as in Keras' network
    random_state=SEED,
)
warnings.simplefilter("ignore", ConvergenceWarning)  # five epochs are the task

started = time.perf_counter()
model.fit(x_train, y_train)
seconds = time.perf_counter() - started
report(seconds, model.score(x_test, y_test))

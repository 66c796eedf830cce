"""What MLflow's quick start shows, and no more: nothing here knows where it runs."""

import matplotlib.pyplot as plt
import mlflow
from mlflow.models import infer_signature
from sklearn import datasets
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split

x, y = datasets.load_iris(return_X_y=True)
x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.2, random_state=42)

mlflow.set_experiment("MLflow Quickstart")
mlflow.sklearn.autolog(log_models=False)
with mlflow.start_run():
    model = LogisticRegression(solver="lbfgs", max_iter=1000, random_state=8888)
    model.fit(x_train, y_train)
    mlflow.log_metric("accuracy", accuracy_score(y_test, model.predict(x_test)))
    mlflow.set_tag("Training Info", "Basic LR model for iris data")

    figure, axes = plt.subplots()
    axes.plot(model.coef_[0])
    mlflow.log_figure(figure, "coefficients.png")

    mlflow.autolog(disable=True)
    for strength in (0.01, 0.1, 1.0):
        with mlflow.start_run(nested=True, run_name=f"C={strength}"):
            mlflow.log_param("C", strength)
            candidate = LogisticRegression(C=strength, max_iter=1000).fit(x_train, y_train)
            for step in range(3):
                mlflow.log_metric("accuracy", accuracy_score(y_test, candidate.predict(x_test)), step=step)

    logged = mlflow.sklearn.log_model(
        model,
        name="iris_model",
        signature=infer_signature(x_train, model.predict(x_train)),
        pip_requirements=["scikit-learn"],
        registered_model_name="tracking-quickstart",
    )

loaded = mlflow.pyfunc.load_model(logged.model_uri)
print("predictions:", loaded.predict(x_test)[:3].tolist())
with mlflow.start_run(run_name="afterwards"):
    mlflow.log_metric("done", 1)

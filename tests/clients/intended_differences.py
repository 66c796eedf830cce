"""Where our answers differ from MLflow's on purpose: the case, why, and how our answer begins (status, error code,
message)."""

REFUSED = (400, "INVALID_PARAMETER_VALUE")

SQL = "MLflow's message has the SQL statement that failed"
STRICT = "what has the wrong type or no meaning is refused, not replaced by a default"
LENIENT = "the usual value is taken for what is absent"
WORDS = "refused alike, in other words"
CRASH = "MLflow answers with an internal error"
JSON = "every error is JSON, also where MLflow sends a page"

DIFFERENT = {
    "experiment that exists": (SQL, (400, "RESOURCE_ALREADY_EXISTS", "Experiment(name=odd) already exists.")),
    "experiment with the name of a deleted one": (SQL, (400, "RESOURCE_ALREADY_EXISTS")),
    "experiment renamed to a taken name": (SQL, (400, "RESOURCE_ALREADY_EXISTS")),
    "deleted experiment renamed": ("a client's mistake is no 500", REFUSED),
    "experiments searched without max_results": (LENIENT, (200,)),
    "experiments searched for none": (WORDS, REFUSED),
    "experiments searched for too many": (WORDS, REFUSED),
    "experiments searched with a bad view": (STRICT, REFUSED),
    "run without an experiment": ("it goes to the experiment \"0\", as clients of old expect", (200,)),
    "run created": ("a run always has its outputs, and a new one has none of them", (200,)),
    "run with tags that are none": (STRICT, REFUSED),
    "run of a user without a tag that says so": ("the tag mlflow.user is where clients of today look", (200,)),
    "run with an unknown status": (STRICT, REFUSED),
    "run with a status as a number": ("a run that ends without an end time ends now", (200,)),
    "run with infinite values": ("they stay infinite; MLflow's database has none, and stores 1.797e308", (200,)),
    "metric of a boolean": (STRICT, REFUSED),
    "param changed": (WORDS, REFUSED),
    "batch with a changed param": (WORDS, REFUSED),
    "batch with a metric of text": (STRICT, REFUSED),
    "batch with a metric that is a number": (CRASH, REFUSED),
    "inputs without a name": (STRICT, REFUSED),
    "body that is a list": (CRASH, REFUSED),
    "path that nobody knows": (JSON, (404, "ENDPOINT_NOT_FOUND")),
    "history of an unknown run": ("a run that is not there has no history, not an empty one",
                                  (404, "RESOURCE_DOES_NOT_EXIST")),
    "history with a bad token": (WORDS, REFUSED),
    "runs searched with a bad token": (WORDS, REFUSED),
    "runs searched by metrics.loss <": (WORDS, REFUSED),
    "runs searched by loss": (WORDS, REFUSED),
    "runs searched by metrics.loss < 1 AND": ("an AND needs a clause after it", REFUSED),
    "runs searched by attributes.nothing = 'x'": ("the message lists each attribute once", REFUSED),
    "runs searched by (params.lr = '0.1')": (WORDS, REFUSED),
    "runs ordered by metrics.loss UP": (WORDS, REFUSED),
    "runs ordered by colour": ("the message lists each attribute once", REFUSED),
    "runs ordered by ": (WORDS, REFUSED),
    "runs searched for none": (WORDS, REFUSED),
    "version with a number too large": (CRASH, (404, "RESOURCE_DOES_NOT_EXIST")),
    "version described as nothing": ("its description is empty, not absent", (200,)),
    "logged model with a long name": ("MLflow's columns have 500 characters, which SQLite does not check", REFUSED),
    "models searched by a bad operator": (WORDS, REFUSED),
    "logged models searched by a bad key": (CRASH, REFUSED),
    "graphql history of NaN": ("null alone says that there is no number", (200,)),
    "graphql no document": (CRASH, (200,)),
    "graphql fragment": ("MLflow's pages ask with none", (200,)),
    "graphql without a query": (CRASH, REFUSED),
    "graphql by GET": (CRASH, (200,)),
}

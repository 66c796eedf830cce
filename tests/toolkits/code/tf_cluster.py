"""What TensorFlow does with TF_CONFIG, without TensorFlow: each task listens at its own address; a worker asks every
parameter server and the other workers, and ends; a parameter server answers for ever."""

import json
import os
import socket
import time

config = json.loads(os.environ["TF_CONFIG"])
cluster, task = config["cluster"], config["task"]


def parsed(address):
    host, port = address.rsplit(":", 1)
    return host, int(port)


server = socket.create_server(parsed(cluster[task["type"]][task["index"]]))
me = f"{task['type']} {task['index']}"


def answer():
    connection, _ = server.accept()
    with connection:
        connection.sendall(me.encode())


def ask(address):
    deadline = time.monotonic() + 60
    while True:
        try:
            with socket.create_connection(parsed(address), timeout=60) as connection:
                return connection.recv(100).decode()
        except ConnectionRefusedError:  # it is still starting
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)  # leaves the processor to it


if task["type"] == "ps":
    print(me, "serves", flush=True)
    while True:
        answer()
others = [each for index, each in enumerate(cluster["worker"]) if index != task["index"]]
if os.fork() == 0:  # answers each of the other workers once
    for _ in others:
        answer()
    os._exit(0)
heard = [ask(each) for each in others + cluster.get("ps", [])]
os.wait()
print(me, "heard", ", ".join(sorted(heard)), flush=True)

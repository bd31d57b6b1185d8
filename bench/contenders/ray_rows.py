"""Does the rows of `ray microbenchmark` on request.

The argument is JSON: the row and how many take part. A line on standard output says that Ray has
started; then each line of standard input, {"count": n}, does the row n times and is answered by a
line. The end of standard input, even in the midst of work, ends Ray and the process.
"""

import json
import os
import queue
import shutil
import signal
import sys
import tempfile
import threading

import numpy as np
import ray

BATCH = 1000


@ray.remote
def small_value():
    return b"ok"


@ray.remote
def put_small(count):
    for _ in range(count):
        ray.put(0)


@ray.remote
def put_large(count, length):
    for _ in range(count):
        ray.put(np.zeros(length, dtype=np.int64))


@ray.remote
def many_refs(count):
    return [ray.put(1) for _ in range(count)]


@ray.remote
def call_in_turn(servers, count):
    ray.get([servers[i % len(servers)].small_value.remote() for i in range(count)])


@ray.remote(num_cpus=0)
class Actor:
    def small_value(self):
        return b"ok"

    def small_value_arg(self, _):
        return b"ok"

    def small_value_batch(self, count):
        ray.get([small_value.remote() for _ in range(count)])


@ray.remote(num_cpus=0)
class AsyncActor:
    async def small_value(self):
        return b"ok"

    async def small_value_with_arg(self, _):
        return b"ok"


@ray.remote(num_cpus=0)
class Client:
    def __init__(self, servers):
        self.servers = servers

    def small_value_batch(self, count):
        ray.get([s.small_value.remote() for s in self.servers for _ in range(count)])

    def small_value_batch_arg(self, count):
        value = ray.put(0)
        ray.get([s.small_value_arg.remote(value) for s in self.servers for _ in range(count)])


def wait_one_by_one():
    pending = [small_value.remote() for _ in range(BATCH)]
    fetch = True
    while pending:
        _, pending = ray.wait(pending, fetch_local=fetch)
        # The raylet remembers what it has been asked to fetch.
        fetch = False


def tasks():
    ray.get([small_value.remote() for _ in range(BATCH)])


def calls_of(server):
    return lambda: ray.get([server.small_value.remote() for _ in range(BATCH)])


def calls_by_client(servers):
    client = Client.remote(servers)
    return lambda: ray.get(client.small_value_batch.remote(5000))


def calls_by_tasks(servers, clients):
    return lambda: ray.get([call_in_turn.remote(servers, 5000) for _ in range(clients)])


def get_small():
    value = ray.put(0)
    return lambda: ray.get(value)


def put_gigabytes():
    array = np.zeros(100 * 1024 * 1024, dtype=np.int64)
    return lambda: ray.put(array)


def get_many_refs():
    outer = many_refs.remote(10000)
    return lambda: ray.get(outer)


def batches_by_actors(clients):
    actors = [Actor.remote() for _ in range(clients)]
    return lambda: ray.get([one.small_value_batch.remote(10000) for one in actors])


def calls_with_arg(servers):
    clients = [Client.remote([server]) for server in servers]
    return lambda: ray.get([one.small_value_batch_arg.remote(BATCH) for one in clients])


def calls_one_by_one(server):
    return lambda: ray.get(server.small_value.remote())


def async_calls_with_args():
    server = AsyncActor.remote()
    return lambda: ray.get([server.small_value_with_arg.remote(i) for i in range(BATCH)])


def operation_of(row, clients, servers):
    """Starts what the row needs; the function returned does the row once."""

    def some(actor):
        return [actor.remote() for _ in range(servers)]

    rows = {
        "single client get calls (Plasma Store)": get_small,
        "single client put calls (Plasma Store)": lambda: lambda: ray.put(0),
        "multi client put calls (Plasma Store)": lambda: lambda: ray.get(
            [put_small.remote(100) for _ in range(10)]
        ),
        "single client put gigabytes": put_gigabytes,
        "single client tasks and get batch": lambda: tasks,
        "multi client put gigabytes": lambda: lambda: ray.get(
            [put_large.remote(10, 10 * 1024 * 1024) for _ in range(10)]
        ),
        "single client get object containing 10k refs": get_many_refs,
        "single client wait 1k refs": lambda: wait_one_by_one,
        "single client tasks sync": lambda: lambda: ray.get(small_value.remote()),
        "single client tasks async": lambda: tasks,
        "multi client tasks async": lambda: batches_by_actors(clients),
        "1:1 actor calls sync": lambda: calls_one_by_one(Actor.remote()),
        "1:1 actor calls async": lambda: calls_of(Actor.remote()),
        "1:1 actor calls concurrent": lambda: calls_of(Actor.options(max_concurrency=16).remote()),
        "1:n actor calls async": lambda: calls_by_client(some(Actor)),
        "n:n actor calls async": lambda: calls_by_tasks(some(Actor), clients),
        "n:n actor calls with arg async": lambda: calls_with_arg(some(Actor)),
        "1:1 async-actor calls sync": lambda: calls_one_by_one(AsyncActor.remote()),
        "1:1 async-actor calls async": lambda: calls_of(AsyncActor.remote()),
        "1:1 async-actor calls with args async": async_calls_with_args,
        "1:n async-actor calls async": lambda: calls_by_client(some(AsyncActor)),
        "n:n async-actor calls async": lambda: calls_by_tasks(some(AsyncActor), clients),
    }
    return rows[row]()


def read_requests(requests):
    for line in sys.stdin:
        requests.put(json.loads(line)["count"])
    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)


def serve(operation, answers):
    requests = queue.Queue()
    threading.Thread(target=read_requests, args=[requests], daemon=True).start()
    print("{}", file=answers, flush=True)
    while True:
        for _ in range(requests.get()):
            operation()
        print("{}", file=answers, flush=True)


def main():
    job = json.loads(sys.argv[1])
    # What Ray prints on standard output is not an answer.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    directory = tempfile.mkdtemp(prefix="ray-")
    try:
        ray.init(
            num_cpus=job["cores"],
            include_dashboard=False,
            log_to_driver=False,
            logging_level="ERROR",
            _temp_dir=directory,
        )
        serve(operation_of(job["row"], job["clients"], job["servers"]), answers)
    except KeyboardInterrupt:
        pass
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        ray.shutdown()
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()

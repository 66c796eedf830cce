"""The peer of configs/jobs/fashion-mnist.yml: the same network, data, batch and optimizer in PyTorch DDP over gloo.

Started by torchrun (see benchmarks/training.py). Prints one JSON line: samples per second of the training loop alone,
and the test accuracy, so that a faster but wrong run cannot win.
"""

import argparse
import gzip
import json
import os
import pathlib
import time

import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

parser = argparse.ArgumentParser()
parser.add_argument("--data", type=pathlib.Path, required=True)
parser.add_argument("--epochs", type=int, default=1)
parser.add_argument("--batch-size", type=int, default=256, help="global")
parser.add_argument("--lr", type=float, default=0.05)
parser.add_argument("--momentum", type=float, default=0.9)
args = parser.parse_args()

torch.set_num_threads(1)
dist.init_process_group("gloo")
rank, size = dist.get_rank(), dist.get_world_size()


def idx(name, header):
    raw = gzip.open(args.data / name).read()
    return torch.frombuffer(bytearray(raw[header:]), dtype=torch.uint8)


train_images = idx("train-images-idx3-ubyte.gz", 16).view(-1, 1, 28, 28)
train_labels = idx("train-labels-idx1-ubyte.gz", 8).long()
test_images = idx("t10k-images-idx3-ubyte.gz", 16).view(-1, 1, 28, 28)
test_labels = idx("t10k-labels-idx1-ubyte.gz", 8).long()
mean, deviation = train_images.float().mean(), train_images.float().std()


def scaled(images):
    return ((images.float() - mean) / deviation).contiguous(memory_format=torch.channels_last)


torch.manual_seed(1)
network = torch.nn.Sequential(
    torch.nn.Conv2d(1, 32, 3, padding=1), torch.nn.ReLU(), torch.nn.MaxPool2d(2),
    torch.nn.Conv2d(32, 64, 3, padding=1), torch.nn.ReLU(), torch.nn.MaxPool2d(2),
    torch.nn.Flatten(), torch.nn.Linear(64 * 7 * 7, 128), torch.nn.ReLU(), torch.nn.Linear(128, 10),
).to(memory_format=torch.channels_last)
model = DistributedDataParallel(network) if size > 1 else network
optimizer = torch.optim.SGD(model.parameters(), lr=args.lr, momentum=args.momentum)
loss_of = torch.nn.CrossEntropyLoss()

samples, seconds = 0, 0.0
share = args.batch_size // size
for epoch in range(args.epochs):
    order = torch.randperm(len(train_labels), generator=torch.Generator().manual_seed(epoch))
    dist.barrier()
    begin = time.perf_counter()
    for first in range(0, len(order) - args.batch_size + 1, args.batch_size):
        mine = order[first + rank * share:first + (rank + 1) * share]
        optimizer.zero_grad(set_to_none=True)
        loss_of(model(scaled(train_images[mine])), train_labels[mine]).backward()
        optimizer.step()
        samples += args.batch_size
    dist.barrier()
    seconds += time.perf_counter() - begin

if rank == 0:
    network.eval()
    with torch.no_grad():
        right = sum((network(scaled(test_images[i:i + 500])).argmax(1) == test_labels[i:i + 500]).sum().item()
                    for i in range(0, len(test_labels), 500))
    print(json.dumps({"samples_per_s": samples / seconds, "test_accuracy": right / len(test_labels),
                      "torch": torch.__version__, "ranks": size, "pid": os.getpid()}), flush=True)
dist.destroy_process_group()

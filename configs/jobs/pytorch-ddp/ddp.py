"""PyTorch's DistributedDataParallel as its tutorials have it: everything comes from the environment. Each rank also trains
alone on all of the data, which must come to the same."""

import os

import torch
import torch.distributed as dist
from torch.nn.functional import mse_loss
from torch.nn.parallel import DistributedDataParallel


def train(model, inputs, targets):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(20):
        optimizer.zero_grad()
        mse_loss(model(inputs), targets).backward()
        optimizer.step()


def linear():
    torch.manual_seed(7)
    return torch.nn.Linear(4, 1)


dist.init_process_group("gloo")
rank, size = dist.get_rank(), dist.get_world_size()
inputs = torch.randn(8 * size, 4, generator=torch.Generator().manual_seed(11))
targets = inputs.sum(dim=1, keepdim=True)
mine = slice(8 * rank, 8 * rank + 8)
together, alone = DistributedDataParallel(linear()), linear()
train(together, inputs[mine], targets[mine])
train(alone, inputs, targets)
place = "/".join(os.environ[name] for name in ("NODE_RANK", "LOCAL_RANK", "LOCAL_WORLD_SIZE"))
losses = [mse_loss(model(inputs), targets).item() for model in (together, alone)]
print(f"rank {rank} of {size} at {place}: loss {losses[0]:.9f} alone {losses[1]:.9f}", flush=True)
assert "OMPI_COMM_WORLD_RANK" not in os.environ  # it would be taken for a program of MPI
dist.destroy_process_group()

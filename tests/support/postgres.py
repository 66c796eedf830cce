#!/usr/bin/env python3
"""A PostgreSQL server of a test's own, which goes with it: reached over a socket in its folder, by whoever can reach
that. What it writes need not survive the machine: no syncs.

    postgres.py COMMAND...    runs COMMAND beside one; LOCKSTEP_TEST_POSTGRES names the folder of its socket
"""

import glob
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import uuid

PROGRAMS = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda folder: int(folder.split("/")[4]))


class Postgres:
    """`settings`: lines of postgresql.conf."""

    def __init__(self, settings=()):
        self.folder = tempfile.mkdtemp()
        os.chmod(self.folder, 0o755)
        self.user = {}
        if os.geteuid() == 0:  # it refuses to run as root
            account = pwd.getpwnam("postgres")
            os.chown(self.folder, account.pw_uid, account.pw_gid)
            self.user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        self.data = f"{self.folder}/data"
        self.run("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        with open(f"{self.data}/postgresql.conf", "a") as file:
            print(f"unix_socket_directories = '{self.folder}'", "listen_addresses = ''", "fsync = off",
                  "full_page_writes = off", "max_connections = 200", *settings, sep="\n", file=file)
        self.start()

    def run(self, program, *arguments):
        done = subprocess.run([f"{PROGRAMS[-1]}/{program}", "-D", self.data, *arguments], cwd="/", **self.user,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise AssertionError(f"{program}: {done.stdout}")

    def start(self):
        self.run("pg_ctl", "start", "-w", "-l", f"{self.folder}/log")

    def crash(self):
        self.run("pg_ctl", "stop", "-m", "immediate")

    def remove(self):
        self.crash()
        shutil.rmtree(self.folder)


def url_of(folder, database):
    return f"postgresql://postgres@/{database}?host={folder}"


def query(folder, database, sql):
    """The rows, a line each."""
    command = [f"{PROGRAMS[-1]}/psql", "-XAtq", "-v", "ON_ERROR_STOP=1", url_of(folder, database), "-c", sql]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()


def new_database(folder):
    """Its name."""
    name = f"test_{uuid.uuid4().hex}"
    query(folder, "postgres", f"CREATE DATABASE {name}")
    return name


def main():
    if not PROGRAMS:
        print("skipped: no PostgreSQL server is installed")
        return 77
    server = Postgres(["autovacuum = off"])
    try:
        return subprocess.run(sys.argv[1:], env={**os.environ, "LOCKSTEP_TEST_POSTGRES": server.folder}).returncode
    finally:
        server.remove()


if __name__ == "__main__":
    sys.exit(main())

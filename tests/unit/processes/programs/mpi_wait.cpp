// An MPI program that initialises, says so in <folder>/<rank>, and waits for a signal.
#include <mpi.h>
#include <unistd.h>

#include <fstream>
#include <string>

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Barrier(MPI_COMM_WORLD);  // every rank has attached to every segment
  std::ofstream(std::string(argv[1]) + "/" + std::to_string(rank)) << ::getpid() << '\n' << std::flush;
  while (true) ::pause();
}

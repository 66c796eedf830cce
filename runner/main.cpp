#include "runner/program.hpp"

int main(int argc, char** argv) { return lockstep::runner::run_program(argc, argv); }

// Nothing: this file's targets are there for the headers that they have compiled (cmake/targets.cmake).
int main() { return 0; }

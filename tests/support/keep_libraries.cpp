// For MPI programs under AddressSanitizer: nothing is unloaded. Open MPI closes its plug-ins at the end, and what they
// leaked then has no name that lsan.supp could know.
extern "C" int dlclose(void* /*library*/) { return 0; }

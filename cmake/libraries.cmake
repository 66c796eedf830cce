# What the project stands on. All of it comes from Debian 12 packages (see ./x setup).
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(fmt 9 REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(PostgreSQL REQUIRED)
find_package(CURL REQUIRED)
find_package(GTest REQUIRED)
set(MPI_CXX_SKIP_MPICXX ON)  # the C interface; the C++ bindings are gone from the standard
find_package(MPI REQUIRED COMPONENTS CXX)
pkg_check_modules(yaml_cpp REQUIRED IMPORTED_TARGET yaml-cpp)
find_package(simdjson REQUIRED)
find_package(ZLIB REQUIRED)
find_package(Boost 1.81 REQUIRED)  # Asio and Beast: headers only
if(NOT LOCKSTEP_FUZZ)
  find_package(Eigen3 3.4 REQUIRED NO_MODULE)
  find_package(CLI11 REQUIRED)
  find_package(benchmark REQUIRED)
  find_package(OpenMP REQUIRED COMPONENTS CXX)  # oneDNN's threads
  # oneDNN. Not by its own CMake file: Debian's asks for OpenCL's headers, which nothing here uses.
  find_path(DNNL_INCLUDE_DIR dnnl.hpp REQUIRED)
  find_library(DNNL_LIBRARY dnnl REQUIRED)
  add_library(DNNL::dnnl UNKNOWN IMPORTED)
  set_target_properties(DNNL::dnnl PROPERTIES IMPORTED_LOCATION ${DNNL_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${DNNL_INCLUDE_DIR})
endif()

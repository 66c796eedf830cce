# CUDA is optional, and whole or not at all: compiler, runtime, cuBLASLt and NCCL. Looked for in CUDAToolkit_ROOT, in what
# `./x setup --cuda` fetched (.cuda), beside the nvcc on PATH, and in /usr/local/cuda; one line says what was found.
# Gives LOCKSTEP_CUDA (headers for the emulator), LOCKSTEP_CUDA_BACK_END (nvcc compiles kernels/cuda too) and the libraries'
# targets. Sanitizers and fuzzers go without the back-end: what they are for runs on the emulator.
set(LOCKSTEP_CUDA_WHEELS ${CMAKE_SOURCE_DIR}/.cuda/nvidia)
find_program(nvcc_on_path nvcc NO_CACHE)
cmake_path(GET nvcc_on_path PARENT_PATH nvcc_folder)

set(places ${LOCKSTEP_CUDA_WHEELS}/cu13 ${nvcc_folder}/.. /usr/local/cuda)
if(CUDAToolkit_ROOT OR DEFINED ENV{CUDAToolkit_ROOT})
  set(places ${CUDAToolkit_ROOT} $ENV{CUDAToolkit_ROOT})
endif()

set(LOCKSTEP_CUDA OFF)
set(cuda_reason "no nvcc")
foreach(place ${places})
  if(NOT EXISTS ${place}/bin/nvcc)
    continue()
  endif()
  file(REAL_PATH ${place} CUDA_ROOT)
  set(missing)
  find_path(nccl_include nccl.h PATHS ${CUDA_ROOT}/include ${CUDA_ROOT}/../nccl/include NO_CACHE)
  foreach(library cudart:13 cublasLt:13 nccl:2)
    string(REPLACE ":" ";" parts ${library})
    list(GET parts 0 name)
    list(GET parts 1 version)
    find_library(${name}_library NAMES lib${name}.so.${version} PATHS ${CUDA_ROOT}/lib64 ${CUDA_ROOT}/lib ${CUDA_ROOT}/../nccl/lib NO_CACHE)
    if(NOT ${name}_library)
      list(APPEND missing ${name})
    endif()
  endforeach()
  if(missing)
    list(JOIN missing ", " missing)
    set(cuda_reason "${CUDA_ROOT} has no ${missing}")
    continue()
  endif()
  set(LOCKSTEP_CUDA ON)
  break()
endforeach()

if(LOCKSTEP_CUDA)
  message(STATUS "CUDA: ${CUDA_ROOT}")
  add_library(cuda_headers INTERFACE)
  target_include_directories(cuda_headers SYSTEM INTERFACE ${CUDA_ROOT}/include ${nccl_include})
  foreach(library cudart cublasLt nccl)
    get_filename_component(folder ${${library}_library} DIRECTORY)
    add_library(cuda_${library} INTERFACE)
    target_link_libraries(cuda_${library} INTERFACE cuda_headers ${${library}_library})
    target_link_options(cuda_${library} INTERFACE -Wl,-rpath,${folder})  # CMake leaves out what nvcc itself would search
  endforeach()
else()
  message(STATUS "CUDA: not found (${cuda_reason}; ./x setup --cuda fetches it); building the CPU back-end only")
endif()

set(LOCKSTEP_CUDA_BACK_END OFF)
if(LOCKSTEP_CUDA AND LOCKSTEP_NVCC AND NOT LOCKSTEP_SANITIZE)
  set(LOCKSTEP_CUDA_BACK_END ON)
  if(NOT CMAKE_CUDA_ARCHITECTURES)
    set(CMAKE_CUDA_ARCHITECTURES 80-real 90)  # a short list for development: A100's code, H100's code and PTX
  endif()
  set(CMAKE_CUDA_COMPILER ${CUDA_ROOT}/bin/nvcc)
  enable_language(CUDA)  # first: what follows would break its trial programs
  set(CMAKE_CUDA_RUNTIME_LIBRARY None)  # cuda_cudart, the shared one: CMake would link the static one beside it
  # Packages that lie in /usr/include name it; as an -isystem it would hide the C library's headers from <cmath>.
  list(APPEND CMAKE_CUDA_IMPLICIT_INCLUDE_DIRECTORIES ${CMAKE_CXX_IMPLICIT_INCLUDE_DIRECTORIES})
  set(CMAKE_CUDA_STANDARD 20)
  set(CMAKE_CUDA_STANDARD_REQUIRED ON)
  set(CMAKE_CUDA_EXTENSIONS OFF)
  if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)  # CMake 3.25's table for nvcc ends at C++17, and drops 20 without a word
    set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
    set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION -std=c++20)
  endif()
endif()

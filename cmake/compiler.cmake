# C++20, warnings, sanitizers. No -march: the build must run on any x86-64 machine of the last decade.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-Wall$<SEMICOLON>-Wextra$<SEMICOLON>-Wpedantic>)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-Wno-restrict>)  # GCC bug 105651: false alarm in std::string's operator+
endif()
if(CMAKE_UNITY_BUILD AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  add_compile_options(-Wno-subobject-linkage)  # what is not in the file that is compiled is a header to GCC
endif()
if(LOCKSTEP_WERROR)
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-Werror>)
endif()

# The launcher and the command line wait for processes, files and people: -O1 compiles them in two thirds of the time.
# (clang wants one level for all that read the headers which are compiled once.)
set(of_what_waits $<$<AND:$<CONFIG:Release>,$<CXX_COMPILER_ID:GNU>>:-O1>)

find_program(CCACHE ccache)
set(share_headers ON)
if(CCACHE)
  set(share_headers OFF)
endif()
option(LOCKSTEP_SHARE_HEADERS "compile the headers that nearly every file reads once (the default without ccache)"
  ${share_headers})
if(CCACHE AND NOT LOCKSTEP_SHARE_HEADERS)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

if(LOCKSTEP_SANITIZE)
  add_compile_options(-fsanitize=${LOCKSTEP_SANITIZE} -fno-omit-frame-pointer -O1)
  add_link_options(-fsanitize=${LOCKSTEP_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    add_compile_options(-Wno-maybe-uninitialized)  # GCC bug 105562: false alarms in std::regex with sanitizers
  endif()
  if(LOCKSTEP_SANITIZE MATCHES undefined)
    add_compile_options(-fno-sanitize-recover=undefined)
  endif()
  if(LOCKSTEP_SANITIZE MATCHES thread)
    add_compile_options(-Wno-tsan)  # std::atomic_thread_fence is not modelled; where we use it, the pairing is by seq_cst
  endif()
endif()
if(LOCKSTEP_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link -gline-tables-only)  # a report names lines, and nobody looks at variables
endif()

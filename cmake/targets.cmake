# The three shapes a target has here. Each takes every .cpp of the calling folder.

# A test's own code waits for others: it compiles in two thirds of the time, and for clang's sanitizers in half.
set(test_options -O0)

# Headers that nearly every file reads are compiled once for all libraries and once for all tests: a fresh build takes two
# thirds of the time. Not by default with ccache, which does better when it is warm and can't see into them.
if(LOCKSTEP_SHARE_HEADERS)
  set(common_headers <algorithm> <filesystem> <fmt/format.h> <functional> <map> <memory> <nlohmann/json.hpp> <optional>
    <span> <string> <vector>)
  add_library(lockstep_headers STATIC EXCLUDE_FROM_ALL ${CMAKE_SOURCE_DIR}/cmake/headers.cpp)
  target_link_libraries(lockstep_headers PRIVATE fmt::fmt nlohmann_json::nlohmann_json)
  target_precompile_headers(lockstep_headers PRIVATE ${common_headers})
  add_executable(test_headers EXCLUDE_FROM_ALL ${CMAKE_SOURCE_DIR}/cmake/headers.cpp)
  target_link_libraries(test_headers PRIVATE fmt::fmt nlohmann_json::nlohmann_json GTest::gmock GTest::gtest)
  target_precompile_headers(test_headers PRIVATE ${common_headers} <gmock/gmock.h> <gtest/gtest.h>)
  target_compile_options(test_headers PRIVATE ${test_options})
endif()
function(share_headers target donor)
  if(TARGET ${donor})
    target_precompile_headers(${target} REUSE_FROM ${donor})
    if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
      # What comes from there is no system header to GCC any more, so bug 105651 shows under two more names.
      target_compile_options(${target} PRIVATE -Wno-array-bounds -Wno-stringop-overflow)
    endif()
  endif()
endfunction()

# Every program that uses MPI.
function(mpi_program name)
  if(LOCKSTEP_SANITIZE MATCHES address)
    target_sources(${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests/support/keep_libraries.cpp)
  endif()
endfunction()

# lockstep_library(NAME DEPS ...): lockstep_<NAME>, includes relative to the top of the tree.
function(lockstep_library name)
  cmake_parse_arguments(arg "" "" "DEPS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  add_library(lockstep_${name} STATIC ${sources})
  target_include_directories(lockstep_${name} PUBLIC ${CMAKE_SOURCE_DIR})
  target_link_libraries(lockstep_${name} PUBLIC ${arg_DEPS})
  share_headers(lockstep_${name} lockstep_headers)
endfunction()

# lockstep_test(NAME DEPS ... [TIMEOUT seconds] [LABELS ...] [SANITIZED]): one program test_<NAME>, every TEST a ctest
# entry of its own. The fuzz preset has only those that are SANITIZED.
function(lockstep_test name)
  cmake_parse_arguments(arg "SERIAL;SANITIZED" "TIMEOUT" "DEPS;LABELS;ENVIRONMENT" ${ARGN})
  if(LOCKSTEP_FUZZ AND NOT arg_SANITIZED)
    return()
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)  # against hanging; a busy machine must not reach it
  endif()
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  add_executable(test_${name} ${sources})
  target_link_libraries(test_${name} PRIVATE ${arg_DEPS} GTest::gmock GTest::gtest_main)
  target_compile_definitions(test_${name} PRIVATE LOCKSTEP_SOURCE_DIR="${CMAKE_SOURCE_DIR}"
    LOCKSTEP_BINARY_DIR="${CMAKE_BINARY_DIR}")
  target_compile_options(test_${name} PRIVATE ${test_options})
  share_headers(test_${name} test_headers)
  set(properties TIMEOUT ${arg_TIMEOUT} LABELS "${name};${arg_LABELS}")
  if(arg_SERIAL)
    list(APPEND properties RUN_SERIAL ON)
  endif()
  if(arg_ENVIRONMENT)
    list(APPEND properties ENVIRONMENT "${arg_ENVIRONMENT}")
  endif()
  include(GoogleTest)
  gtest_discover_tests(test_${name} DISCOVERY_MODE PRE_TEST TEST_PREFIX "${name}." PROPERTIES ${properties})
endfunction()

# lockstep_fuzzer(NAME SOURCE DEPS ...): libFuzzer program fuzz_<NAME>, only in the fuzz preset. As a test it runs a fixed
# number of inputs from a fixed seed, or for LOCKSTEP_FUZZ_SECONDS; seeds lie in tests/fuzz/corpus/<NAME>.
function(lockstep_fuzzer name source)
  cmake_parse_arguments(arg "" "" "DEPS" ${ARGN})
  if(LOCKSTEP_FUZZ)
    add_executable(fuzz_${name} ${source})
    target_link_libraries(fuzz_${name} PRIVATE ${arg_DEPS})
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
    add_test(NAME fuzz.${name}
      COMMAND ${CMAKE_SOURCE_DIR}/tests/fuzz/run.sh $<TARGET_FILE:fuzz_${name}> ${CMAKE_CURRENT_SOURCE_DIR}/corpus/${name})
    set_tests_properties(fuzz.${name} PROPERTIES TIMEOUT 900)
  endif()
endfunction()

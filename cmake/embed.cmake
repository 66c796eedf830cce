# embed_files(TARGET NAMESPACE NAME FOLDER PATTERN...): the folder's files, at any depth, as `lockstep::NAMESPACE::NAME()`
# (common/embedded.hpp), which some header or source of the target declares.
function(embed_files target namespace name folder)
  set(patterns ${ARGN})
  list(TRANSFORM patterns PREPEND ${folder}/)
  file(GLOB_RECURSE files CONFIGURE_DEPENDS ${patterns})
  set(made ${CMAKE_CURRENT_BINARY_DIR}/${name}.cpp)
  add_custom_command(OUTPUT ${made} DEPENDS ${files} ${CMAKE_SOURCE_DIR}/cmake/write_embedded.cmake
    COMMAND ${CMAKE_COMMAND} -DNAMESPACE=${namespace} -DNAME=${name} -DFOLDER=${folder} "-DFILES=${files}"
      -DOUTPUT=${made} -P ${CMAKE_SOURCE_DIR}/cmake/write_embedded.cmake VERBATIM)
  target_sources(${target} PRIVATE ${made})
  set_source_files_properties(${made} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)  # there only once it was made
endfunction()

// Large uploads in parts. MLflow's client asks for the addresses of the parts, sends them in parallel with PUT and
// without its token, and asks for the file to be put together:
//   POST mpu/create/<folder>   {path, num_parts}           -> {upload_id, credentials[{part_number, url}]}
//   PUT  mpu/part/<upload_id>/<part_number>                -> ETag
//   POST mpu/complete/<folder> {path, upload_id, parts[{part_number, etag}]}
//   POST mpu/abort/<folder>    {path, upload_id}
// `path` is the client's own file: its last part is the artifact's name in <folder>. The upload id is a secret of 128
// bits that stands in for the token. Parts lie in multipart/<upload_id>/ until the end; uploads that nobody has touched
// for a day are removed when the next one begins.
#pragma once

#include "common/run_folder.hpp"
#include "history/server/route.hpp"

namespace lockstep::history::server::mlflow {

Work create_multipart_upload(const Workspace& workspace, const Request& request);
void check_upload_goes_on(const Workspace& workspace, const Request& request);  // before a part is read
Work take_part(const Workspace& workspace, const Request& request);
Work complete_multipart_upload(const Workspace& workspace, const Request& request);
Work abort_multipart_upload(const Workspace& workspace, const Request& request);

}  // namespace lockstep::history::server::mlflow

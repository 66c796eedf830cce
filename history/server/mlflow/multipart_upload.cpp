#include "history/server/mlflow/multipart_upload.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>

#include "common/digest.hpp"
#include "history/server/artifact_paths.hpp"
#include "history/server/json_text.hpp"
#include "history/server/mlflow/artifact_files.hpp"
#include "history/server/mlflow/error.hpp"
#include "history/server/mlflow/fields.hpp"

namespace lockstep::history::server::mlflow {

static constexpr int most_parts = 10'000;  // as S3 has it

// A file of the upload's folder, whose text is the path of the artifact.
static constexpr const char* target_file = "target";

static bool is_hex(std::string_view text, std::size_t digits) {
  return text.size() == digits &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

static fs::path folder_of(const Workspace& workspace, const std::string& upload_id) {
  const fs::path folder = workspace.multipart_upload(upload_id);
  std::error_code unreadable;
  if (!is_hex(upload_id, 32) || !fs::is_directory(folder, unreadable)) {
    throw does_not_exist("No multipart upload '{}' is going on; it may be a day old, or have ended.", upload_id);
  }
  return folder;
}

static std::string artifact_of(const Request& request, const Fields& fields) {
  const std::string name = fs::path(fields.required_text("path")).filename().string();
  if (name.empty()) throw invalid_parameter("'{}' is no path of a file", fields.text("path"));
  const std::string& folder = request.captured.at(0);
  return folder.empty() ? name : folder + "/" + name;
}

static void check_target(const fs::path& folder, const std::string& artifact) {
  if (read_file(folder / target_file) != artifact) throw invalid_parameter("This upload is one of another artifact");
}

static void remove_stale(const Workspace& workspace) {
  std::error_code gone;
  const auto yesterday = fs::file_time_type::clock::now() - std::chrono::hours(24);
  for (fs::directory_iterator each(workspace.multipart_uploads(), gone), end; each != end; each.increment(gone)) {
    const auto touched = fs::last_write_time(each->path(), gone);
    if (!gone && touched < yesterday) fs::remove_all(each->path(), gone);
  }
}

static Reply credentials(const std::string& base_url, const std::string& upload_id, int parts) {
  JsonText out;
  out.begin_object();
  out.member("upload_id", std::string_view(upload_id));
  out.key("credentials");
  out.begin_array();
  for (int part = 1; part <= parts; ++part) {
    out.begin_object();
    out.member("url",
               std::string_view(fmt::format("{}/api/2.0/mlflow-artifacts/mpu/part/{}/{}", base_url, upload_id, part)));
    out.member("part_number", part);
    out.end_object();
  }
  out.end_array();
  out.end_object();
  Reply reply;
  reply.body = out.take();
  return reply;
}

Work create_multipart_upload(const Workspace& workspace, const Request& request) {
  const Fields fields(request);
  const std::int64_t parts = fields.integer("num_parts").value_or(1);
  if (parts < 1 || parts > most_parts)
    throw invalid_parameter("num_parts is {}; it must be 1 to {}", parts, most_parts);
  return [workspace, artifact = artifact_of(request, fields), parts, base_url = request.base_url](Store& store) {
    check_may_change(store, artifact);
    artifact_path(workspace, artifact);  // refused now rather than after the last part
    remove_stale(workspace);
    const std::string upload_id = random_hex(32);
    const fs::path folder = workspace.multipart_upload(upload_id);
    fs::create_directories(folder);
    write_file_atomically(folder / target_file, artifact);
    return credentials(base_url, upload_id, static_cast<int>(parts));
  };
}

static int part_number(const std::string& text) {
  int number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end || number < 1 || number > most_parts) {
    throw invalid_parameter("'{}' is no number of a part: 1 to {}", text, most_parts);
  }
  return number;
}

static fs::path part_file(const fs::path& folder, int number, const std::string& etag) {
  return folder / fmt::format("{}-{}", number, etag);
}

void check_upload_goes_on(const Workspace& workspace, const Request& request) {
  folder_of(workspace, request.captured.at(0));
}

// A part that is sent twice is there twice, under two ETags; the client says which one it means.
Work take_part(const Workspace& workspace, const Request& request) {
  return [workspace, upload_id = request.captured.at(0), number = part_number(request.captured.at(1)),
          file = request.uploaded](Store&) {
    const std::string etag = random_hex(16);
    fs::rename(file, part_file(folder_of(workspace, upload_id), number, etag));
    Reply reply;
    reply.headers = {{"ETag", '"' + etag + '"'}};
    return reply;
  };
}

static std::string bare_etag(std::string etag) {
  std::erase(etag, '"');
  return etag;
}

static std::vector<fs::path> files_of(const fs::path& folder, const std::vector<nlohmann::json>& parts) {
  std::vector<fs::path> files;
  int last = 0;
  for (const auto& part : parts) {
    const auto number = part.find("part_number");
    const auto etag = part.find("etag");
    if (number == part.end() || !number->is_number_integer() || etag == part.end() || !etag->is_string()) {
      throw invalid_parameter("Every one of 'parts' needs its part_number and etag");
    }
    const std::string tag = bare_etag(etag->get<std::string>());
    if (*number <= last || *number > most_parts)
      throw invalid_parameter("'parts' must be in the order of their numbers");
    last = number->get<int>();
    files.push_back(part_file(folder, last, tag));
    if (!is_hex(tag, 16) || !fs::is_regular_file(files.back())) {
      throw invalid_parameter("part {} with the ETag \"{}\" was not uploaded", last, tag);
    }
  }
  return files;
}

static void append_file(int to, const fs::path& file) {
  const Fd from = open_file(file, O_RDONLY);
  std::string buffer(std::size_t{1} << 20, '\0');
  while (true) {
    const ssize_t got = ::read(from.get(), buffer.data(), buffer.size());
    if (got < 0) throw system_failure("cannot read " + file.string());
    if (got == 0) return;
    write_all(to, std::string_view(buffer).substr(0, static_cast<std::size_t>(got)));
  }
}

Work complete_multipart_upload(const Workspace& workspace, const Request& request) {
  const Fields fields(request);
  const auto parts = fields.objects("parts");
  if (parts.empty()) missing_value("parts");
  return [workspace, parts, artifact = artifact_of(request, fields),
          upload_id = fields.required_text("upload_id")](Store& store) {
    check_may_change(store, artifact);
    const fs::path folder = folder_of(workspace, upload_id);
    check_target(folder, artifact);
    const fs::path whole = folder / ("whole-" + random_hex(16));
    {
      const auto files = files_of(folder, parts);
      const Fd to = open_file(whole, O_WRONLY | O_CREAT | O_EXCL);
      for (const fs::path& file : files) append_file(to.get(), file);
    }
    put_artifact(store, workspace, artifact, whole);
    std::error_code ignored;  // what is left is stale in a day
    fs::remove_all(folder, ignored);
    Reply reply;
    reply.body = "{}";
    return reply;
  };
}

// One that has ended already is no error: a client aborts whenever something else went wrong.
Work abort_multipart_upload(const Workspace& workspace, const Request& request) {
  const Fields fields(request);
  return [workspace, artifact = artifact_of(request, fields),
          upload_id = fields.required_text("upload_id")](Store& store) {
    check_may_change(store, artifact);
    const fs::path folder = workspace.multipart_upload(upload_id);
    std::error_code unreadable;
    if (is_hex(upload_id, 32) && fs::is_directory(folder, unreadable)) {
      check_target(folder, artifact);
      fs::remove_all(folder);
    }
    Reply reply;
    reply.body = "{}";
    return reply;
  };
}

}  // namespace lockstep::history::server::mlflow

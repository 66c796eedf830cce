#include <algorithm>
#include <array>
#include <map>

#include "history/server/mlflow/artifact_files.hpp"

namespace lockstep::history::server::mlflow {

// Shown as text by MLflow's page, whatever else they are.
static constexpr std::array text_endings = {
    "txt", "log", "err",  "cfg", "conf", "cnf", "cf",  "ini", "properties", "prop", "hocon", "toml",    "yaml",
    "yml", "xml", "json", "js",  "py",   "py3", "csv", "tsv", "md",         "rst",  "ipynb", "MLmodel", "MLproject"};

static const std::map<std::string, std::string, std::less<>>& types() {
  static const std::map<std::string, std::string, std::less<>> all = {
      {"avi", "video/x-msvideo"},    {"bmp", "image/bmp"},       {"css", "text/css"},
      {"doc", "application/msword"}, {"gif", "image/gif"},       {"h5", "application/x-hdf5"},
      {"htm", "text/html"},          {"html", "text/html"},      {"ico", "image/vnd.microsoft.icon"},
      {"jpe", "image/jpeg"},         {"jpeg", "image/jpeg"},     {"jpg", "image/jpeg"},
      {"mjs", "text/javascript"},    {"mov", "video/quicktime"}, {"mp3", "audio/mpeg"},
      {"mp4", "video/mp4"},          {"pdf", "application/pdf"}, {"png", "image/png"},
      {"sh", "application/x-sh"},    {"svg", "image/svg+xml"},   {"tar", "application/x-tar"},
      {"tgz", "application/x-tar"},  {"tif", "image/tiff"},      {"tiff", "image/tiff"},
      {"wasm", "application/wasm"},  {"wav", "audio/x-wav"},     {"webm", "video/webm"},
      {"webp", "image/webp"},        {"zip", "application/zip"}};
  return all;
}

static std::string ending_of(const std::string& name) {
  const auto dot = name.rfind('.');
  const bool hidden = name.find_first_not_of('.') > dot;  // ".bashrc" has no ending
  return dot == std::string::npos || hidden ? "" : name.substr(dot + 1);
}

std::string media_type_of(const std::string& file_name) {
  std::string ending = ending_of(file_name);
  if (std::ranges::count(text_endings, ending.empty() ? file_name : ending) > 0) return "text/plain";
  std::ranges::transform(ending, ending.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (ending == "gz" || ending == "bz2" || ending == "xz") {  // the type of what was packed
    ending = ending_of(file_name.substr(0, file_name.size() - ending.size() - 1));
  }
  const auto found = types().find(ending);
  return found == types().end() ? "application/octet-stream" : found->second;
}

static bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// As it is if it is a token of HTTP, else in quotes.
static std::string in_quotes(const std::string& text) {
  const auto in_token = [](char c) {
    return is_alphanumeric(c) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  };
  if (!text.empty() && std::ranges::all_of(text, in_token)) return text;
  std::string all = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') all += '\\';
    all += c;
  }
  return all + '"';
}

static std::string percent_encoded(const std::string& text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string all;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (is_alphanumeric(c) || std::string_view("!#$&+-.^_`|~").find(c) != std::string_view::npos) {
      all += c;
    } else {
      ((all += '%') += digits[byte >> 4]) += digits[byte & 15];
    }
  }
  return all;
}

std::string attachment(const std::string& file_name) {
  std::string ascii = file_name;
  std::erase_if(ascii, [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
  if (ascii.size() == file_name.size()) return "attachment; filename=" + in_quotes(file_name);
  if (ascii.empty()) ascii = "download";
  return "attachment; filename=" + in_quotes(ascii) + "; filename*=UTF-8''" + percent_encoded(file_name);
}

}  // namespace lockstep::history::server::mlflow

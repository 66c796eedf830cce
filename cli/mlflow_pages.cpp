#include "cli/mlflow_pages.hpp"

#include "common/error.hpp"
#include "common/process.hpp"

namespace lockstep::cli {

fs::path find_mlflow_pages() {
  // Importing it would take seconds.
  constexpr const char* ask =
      "import importlib.util as u; s = u.find_spec('mlflow'); "
      "print(s.submodule_search_locations[0] if s and s.submodule_search_locations else '')";
  ProgramSpec program;
  program.argv = {"python3", "-c", ask};
  program.environment = current_environment();
  const ProgramResult asked = run_program(program);
  const std::string folder = asked.output.substr(0, asked.output.find('\n'));
  const fs::path pages = fs::path(folder) / "server/js/build";
  if (asked.exit_code() == 0 && !folder.empty() && fs::exists(pages / "index.html")) return pages;
  throw not_found(
      "MLflow's web pages are not installed: python3 has no package 'mlflow' with them (pip install mlflow; "
      "mlflow-skinny comes without)");
}

}  // namespace lockstep::cli

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "tests/gpu_emulation/engine/engine.hpp"
#include "tests/ptx/interpreter/operands.hpp"

namespace lockstep::ptx {

using emulation::KernelError;

std::string Program::place_of(std::size_t instruction) const {
  const Statement& statement = text.statements[std::min(instruction, text.statements.size() - 1)];
  const std::string source = statement.place.empty() ? "" : statement.place + ", ";
  return fmt::format("{}{}:{}: `{}`", source, text.file, statement.line, statement.text);
}

namespace {

template <class Value>
using Names = std::map<std::string, Value, std::less<>>;

std::vector<std::string> split_opcode(std::string_view opcode) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= opcode.size();) {
    const std::size_t end = std::min(opcode.find('.', begin), opcode.size());
    parts.emplace_back(opcode.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

void read_type(const std::string& type, Access& access) {
  static const Names<std::uint8_t> bytes = {{"8", 1}, {"16", 2}, {"32", 4}, {"64", 8}};
  const auto known = bytes.find(type.substr(1));
  if (known == bytes.end() || std::string("busf").find(type[0]) == std::string::npos) {
    throw KernelError("no type that this interpreter knows: " + type);
  }
  access.bytes = known->second;
  access.is_signed = type[0] == 's';
  access.is_float = type[0] == 'f';
}
File file_for(const Access& access) { return access.bytes == 8 ? File::wide : File::narrow; }

// What stands between an opcode's name and its type. The order between threads that some of it asks for is what this
// interpreter, which runs a warp at a time, always gives.
bool read_space(const std::string& part, Access& access) {
  static const Names<Space> spaces = {{"global", Space::global},
                                      {"shared", Space::shared},
                                      {"shared::cta", Space::shared},
                                      {"local", Space::local},
                                      {"param", Space::parameter}};
  static const Names<bool> without_effect = {{"nc", true},   {"volatile", true}, {"relaxed", true}, {"acquire", true},
                                             {"weak", true}, {"release", true},  {"acq_rel", true}, {"cta", true},
                                             {"gpu", true},  {"sys", true}};
  if (const auto space = spaces.find(part); space != spaces.end()) {
    access.space = space->second;
    return true;
  }
  return without_effect.contains(part);
}

Mix mix_of(const std::vector<std::string>& opcode, const Access& access) {
  static const Names<Mix> by_name = {{"cvt", Mix::conversion},  {"cvta", Mix::conversion}, {"mov", Mix::move},
                                     {"selp", Mix::move},       {"shfl", Mix::warp},       {"vote", Mix::warp},
                                     {"match", Mix::warp},      {"redux", Mix::warp},      {"bar", Mix::barrier},
                                     {"barrier", Mix::barrier}, {"bra", Mix::branch},      {"brx", Mix::branch},
                                     {"ret", Mix::branch},      {"exit", Mix::branch}};
  if (const auto known = by_name.find(opcode[0]); known != by_name.end()) return known->second;
  if (opcode[0] == "ld" || opcode[0] == "st" || opcode[0] == "atom" || opcode[0] == "red") {
    if (access.space == Space::global || access.space == Space::generic) return Mix::global;
    return access.space == Space::shared ? Mix::shared : Mix::other_memory;
  }
  if (opcode.back() == "f32") return Mix::float32;
  return opcode.back() == "f64" ? Mix::float64 : Mix::integer;
}

class Decoder {
 public:
  explicit Decoder(Program& program) : program_(program), operands_(program) {}

  void decode() {
    for (const Statement& statement : program_.text.statements) {
      statement_ = &statement;
      try {
        program_.code.push_back(instruction());
      } catch (const KernelError& error) {
        throw KernelError(fmt::format("kernel {}: {}: {}", program_.text.name, program_.place_of(program_.code.size()),
                                      error.what()));
      }
    }
  }

 private:
  const std::string& operand(std::size_t i) const {
    if (i >= statement_->operands.size()) throw KernelError("an operand is missing");
    return statement_->operands[i];
  }
  std::uint32_t label(const std::string& name) const {
    const auto found = program_.text.labels.find(name);
    if (found == program_.text.labels.end()) throw KernelError("no such label: " + name);
    return static_cast<std::uint32_t>(found->second);
  }

  Instruction instruction() {
    const auto opcode = split_opcode(statement_->opcode);
    Instruction made = by_opcode(opcode);
    made.mix = mix_of(opcode, made.access);
    if (!statement_->guard.empty()) {
      made.guarded = true;
      made.negated = statement_->negated;
      made.guard = operands_.in(statement_->guard, File::predicate);
    }
    return made;
  }

  Instruction by_opcode(const std::vector<std::string>& opcode) {
    const std::string& name = opcode[0];
    if (name == "ld" || name == "st") return memory(opcode);
    if (name == "atom" || name == "red") return atomic(opcode);
    if (name == "bra" || name == "brx") return branch();
    if (name == "ret" || name == "exit") return {.kind = Kind::exit};
    if (name == "membar" || name == "fence") return {.kind = Kind::nothing};
    if (name == "bar" && opcode.at(1) == "warp") return collective(Collective::synchronize);
    if (name == "bar" || name == "barrier") return barrier(opcode);
    if (name == "mov" && (operand(0).starts_with('{') || operand(1).starts_with('{'))) return pack(opcode);
    static const Names<Collective> collectives = {
        {"shfl.sync.up.b32", Collective::shuffle_up},    {"shfl.sync.down.b32", Collective::shuffle_down},
        {"shfl.sync.bfly.b32", Collective::shuffle_xor}, {"shfl.sync.idx.b32", Collective::shuffle_index},
        {"vote.sync.any.pred", Collective::any},         {"vote.sync.all.pred", Collective::all},
        {"vote.sync.ballot.b32", Collective::ballot},    {"match.any.sync.b32", Collective::match},
        {"redux.sync.add.s32", Collective::sum},         {"redux.sync.add.u32", Collective::sum},
        {"redux.sync.min.u32", Collective::smallest},    {"redux.sync.max.u32", Collective::largest}};
    if (const auto found = collectives.find(statement_->opcode); found != collectives.end()) {
      return collective(found->second);
    }
    return compute();
  }

  Instruction compute() {
    const Operation* operation = find_operation(statement_->opcode);
    if (statement_->opcode.starts_with("cvt.") && operands_.find(operand(1), File::narrow).file == File::wide) {
      const Operation* of_wide = find_operation(statement_->opcode + of_wider);
      if (of_wide != nullptr) operation = of_wide;
    }
    if (operation == nullptr) throw KernelError("an instruction that this interpreter has not");
    if (operation->operands != statement_->operands.size())
      throw KernelError("another number of operands was expected");
    Instruction made{.kind = Kind::compute, .compute = operation->run};
    for (std::size_t i = 0; i < operation->operands; ++i) made.at[i] = operands_.in(operand(i), operation->files[i]);
    return made;
  }

  // mov.b64 %rd1, {%r1, %r2} and mov.b64 {%r1, %r2}, %rd1
  Instruction pack(const std::vector<std::string>& opcode) {
    const bool unpacks = operand(0).starts_with('{');
    Instruction made{.kind = unpacks ? Kind::unpack : Kind::pack};
    const auto parts = parts_of_list(operand(unpacks ? 0 : 1));
    read_type(opcode.back(), made.access);
    made.files[4] = file_for(made.access);
    made.at[4] = operands_.in(operand(unpacks ? 1 : 0), made.files[4]);
    made.access.count = static_cast<std::uint8_t>(parts.size());
    made.access.bytes = static_cast<std::uint8_t>(made.access.bytes / parts.size());
    values(parts, made);
    return made;
  }

  void values(const std::vector<std::string>& parts, Instruction& made) {
    if (parts.size() > 4) throw KernelError("more than four values side by side");
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const Place place =
          parts[i] == "_" ? Place{File::narrow, no_register} : operands_.find(parts[i], file_for(made.access));
      made.at[i] = place.at;
      made.files[i] = place.file;
    }
  }

  // ld.global.v4.f32 {%f1, %f2, %f3, %f4}, [%rd1+16]
  Instruction memory(const std::vector<std::string>& opcode) {
    const bool loads = opcode[0] == "ld";
    Instruction made{.kind = loads ? Kind::load : Kind::store};
    read_type(opcode.back(), made.access);
    for (std::size_t i = 1; i + 1 < opcode.size(); ++i) {
      if (opcode[i] == "v2" || opcode[i] == "v4") {
        made.access.count = static_cast<std::uint8_t>(opcode[i][1] - '0');
      } else if (!read_space(opcode[i], made.access)) {
        throw KernelError("an instruction that this interpreter has not");
      }
    }
    const auto parts = parts_of_list(operand(loads ? 0 : 1));
    if (parts.size() != made.access.count) throw KernelError("another number of values was expected");
    values(parts, made);
    operands_.read_address(operand(loads ? 1 : 0), made.access);
    return made;
  }

  // atom.global.add.u32 %r1, [%rd1], 1 and red.global.add.u32 [%rd1], 1
  Instruction atomic(const std::vector<std::string>& opcode) {
    static const Names<AtomicOperation> operations = {
        {"add", AtomicOperation::add},       {"min", AtomicOperation::min},
        {"max", AtomicOperation::max},       {"and", AtomicOperation::bit_and},
        {"or", AtomicOperation::bit_or},     {"xor", AtomicOperation::bit_xor},
        {"exch", AtomicOperation::exchange}, {"cas", AtomicOperation::compare_and_swap}};
    Instruction made{.kind = Kind::atomic};
    read_type(opcode.back(), made.access);
    bool known = false;
    for (std::size_t i = 1; i + 1 < opcode.size(); ++i) {
      if (const auto operation = operations.find(opcode[i]); operation != operations.end()) {
        made.access.atomic = operation->second;
        known = true;
      } else if (!read_space(opcode[i], made.access)) {
        throw KernelError("an instruction that this interpreter has not");
      }
    }
    if (!known) throw KernelError("an instruction that this interpreter has not");
    made.access.returns = opcode[0] == "atom";
    std::size_t next = 0;
    const File file = file_for(made.access);
    if (made.access.returns) made.at[0] = operands_.in(operand(next++), file);
    operands_.read_address(operand(next++), made.access);
    for (std::size_t i = 1; next < statement_->operands.size(); ++i)
      made.at.at(i) = operands_.in(operand(next++), file);
    return made;
  }

  Instruction branch() {
    if (statement_->opcode != "brx.idx") return {.kind = Kind::branch, .target = label(operand(0))};
    const auto table = program_.text.branch_tables.find(operand(1));
    if (table == program_.text.branch_tables.end()) throw KernelError("no such table of branches");
    Instruction made{.kind = Kind::branch_table};
    made.at[0] = operands_.in(operand(0), File::narrow);
    for (const auto& each : table->second) made.targets.push_back(label(each));
    return made;
  }

  // bar.sync 0; bar.sync 1, 128; bar.red.popc.u32 %r1, 0, %p1; bar.red.or.pred %p2, 0, %p1
  Instruction barrier(const std::vector<std::string>& opcode) {
    Instruction made{.kind = Kind::barrier};
    std::size_t first = 0;
    std::size_t end = statement_->operands.size();
    if (opcode.at(1) == "red") {
      static const Names<BarrierResult> results = {
          {"popc", BarrierResult::count}, {"or", BarrierResult::any}, {"and", BarrierResult::all}};
      const auto result = std::ranges::find_if(opcode, [](const auto& part) { return results.contains(part); });
      if (result == opcode.end()) throw KernelError("an instruction that this interpreter has not");
      made.barrier_result = results.at(*result);
      const bool counts = made.barrier_result == BarrierResult::count;
      made.at[0] = operands_.in(operand(first++), counts ? File::narrow : File::predicate);
      made.at[3] = operands_.in(operand(--end), File::predicate);
    } else if (opcode.at(1) != "sync") {
      throw KernelError("an instruction that this interpreter has not");
    }
    made.at[1] = operands_.in(operand(first), File::narrow);
    made.has_threads = end - first > 1;
    if (made.has_threads) made.at[2] = operands_.in(operand(first + 1), File::narrow);
    return made;
  }

  // shfl.sync.bfly.b32 %r1|%p1, %r2, 16, 31, -1; vote.sync.ballot.b32 %r1, %p1, -1; bar.warp.sync -1
  Instruction collective(Collective what) {
    Instruction made{.kind = Kind::collective, .collective = what};
    made.at[4] = operands_.in(statement_->operands.back(), File::narrow);
    if (what == Collective::synchronize) return made;
    const bool of_predicate = what == Collective::any || what == Collective::all || what == Collective::ballot;
    const bool gives_predicate = what == Collective::any || what == Collective::all;
    const std::string& result = operand(0);
    const auto bar = result.find('|');
    made.at[0] = operands_.in(result.substr(0, bar), gives_predicate ? File::predicate : File::narrow);
    made.at[1] = operands_.in(operand(1), of_predicate ? File::predicate : File::narrow);
    if (statement_->operands.size() == 5) {
      for (const std::size_t i : {2, 3}) made.at[i] = operands_.in(operand(i), File::narrow);
    }
    made.has_flag = bar != std::string::npos;
    if (made.has_flag) made.at[5] = operands_.in(result.substr(bar + 1), File::predicate);
    return made;
  }

  Program& program_;
  Operands operands_;
  const Statement* statement_ = nullptr;
};

}  // namespace

std::unique_ptr<Program> decode(const KernelText& text) {
  auto program = std::make_unique<Program>();
  program->text = text;
  Decoder(*program).decode();
  return program;
}

}  // namespace lockstep::ptx

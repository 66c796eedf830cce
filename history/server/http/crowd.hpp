// How many connections there are, in all and of each client, and may be. For the network thread.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>

namespace lockstep::history::server::http {

class Crowd {
 private:
  using OfClients = std::map<boost::asio::ip::address, std::uint64_t>;

 public:
  // `most_of_one`: nullopt: `usual_of_one` of each client, any number of this machine's own.
  Crowd(std::uint64_t most, std::optional<std::uint64_t> most_of_one) : most_(most), most_of_one_(most_of_one) {}
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

  static constexpr std::uint64_t usual_of_one = 512;

  // One connection's; it is free again when this is destroyed.
  class Place {
   public:
    Place(Place&& other) noexcept : crowd_(std::exchange(other.crowd_, nullptr)), client_(other.client_) {}
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    Place& operator=(Place&&) = delete;
    ~Place() {
      if (crowd_ != nullptr) crowd_->leave(client_);
    }

   private:
    friend class Crowd;
    Place(Crowd& crowd, OfClients::iterator client) : crowd_(&crowd), client_(client) {}
    Crowd* crowd_;
    OfClients::iterator client_;
  };

  // nullopt: there are too many. An IPv6 client is its network of 64 bits, in which addresses are free to choose.
  std::optional<Place> enter(const boost::asio::ip::address& from);

 private:
  void leave(OfClients::iterator client);

  std::uint64_t most_;
  std::optional<std::uint64_t> most_of_one_;
  std::uint64_t all_ = 0;
  OfClients of_clients_;
};

// Raises the number of descriptors that this process may open as far as it can; what is left for connections.
std::uint64_t make_room_for_connections();

}  // namespace lockstep::history::server::http

// TCP ports of this machine.
#pragma once

namespace lockstep::cluster {

// The first of `count` ports in a row that nobody listens at now and that the system gives to nobody who asks for any
// port: a node that is started later finds its port free. Begins at random, so that clusters keep out of each other's
// way. Throws failure when there are none.
int free_ports(int count);

bool is_listening(int port);  // at 127.0.0.1, now

}  // namespace lockstep::cluster

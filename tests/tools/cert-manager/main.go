// The three programs of cert-manager in one: controller, cainjector and webhook, by the first argument.
//
// Upstream keeps its main packages in Go modules of their own, which carry no version and so cannot be had as modules.
// All that they put together is in the module of the libraries. This puts the same together: configuration, its
// defaults and validation, leader election, controllers, servers are upstream's; the names of flags are those that
// okgen may render and nothing else. The module's path is below upstream's, as Go opens internal packages by that.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/pflag"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/cert-manager/cert-manager/pkg/logs"
)

type program func(ctx context.Context, flags *pflag.FlagSet, words []string) error

func main() {
	programs := map[string]program{"controller": runController, "cainjector": runInjector, "webhook": runWebhook}
	if len(os.Args) < 2 || programs[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: cert-manager controller|cainjector|webhook [FLAG]...")
		os.Exit(2)
	}
	name := os.Args[1]
	logs.InitLogs()
	ctrl.SetLogger(klog.Background())
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	ctx = logs.NewContext(ctx, klog.Background(), name)
	err := programs[name](ctx, pflag.NewFlagSet(name, pflag.ContinueOnError), os.Args[2:])
	stop()
	logs.FlushLogs()
	if err != nil {
		fmt.Fprintln(os.Stderr, name+":", err)
		os.Exit(1)
	}
}

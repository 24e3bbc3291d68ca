package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"

	config "github.com/cert-manager/cert-manager/internal/apis/config/controller"
	configscheme "github.com/cert-manager/cert-manager/internal/apis/config/controller/scheme"
	defaults "github.com/cert-manager/cert-manager/internal/apis/config/controller/v1alpha1"
	"github.com/cert-manager/cert-manager/internal/apis/config/controller/validation"
	versions "github.com/cert-manager/cert-manager/pkg/apis/config/controller/v1alpha1"
	"github.com/cert-manager/cert-manager/pkg/controller"
	"github.com/cert-manager/cert-manager/pkg/healthz"
	dns "github.com/cert-manager/cert-manager/pkg/issuer/acme/dns/util"
	"github.com/cert-manager/cert-manager/pkg/logs"

	// Issuers make themselves known when they are loaded.
	_ "github.com/cert-manager/cert-manager/pkg/issuer/acme"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/ca"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/selfsigned"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/vault"
)

// runController runs the controllers that are enabled, as long as it is the leader.
func runController(ctx context.Context, flags *pflag.FlagSet, words []string) error {
	settings, err := controllerSettings(flags, words)
	if err != nil {
		return err
	}
	options, err := contextOptions(settings)
	if err != nil {
		return err
	}
	factory, err := controller.NewContextFactory(ctx, options)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	health := healthz.NewServer(settings.LeaderElectionConfig.HealthzTimeout)
	listener, err := net.Listen("tcp", settings.HealthzListenAddress)
	if err != nil {
		return err
	}
	group.Go(func() error { return health.Start(ctx, listener) })
	group.Go(func() error {
		return elect(ctx, factory, settings.LeaderElectionConfig, health, func(ctx context.Context) error {
			return control(ctx, factory, settings)
		})
	})
	return group.Wait()
}

// controllerSettings gives the configuration, with upstream's defaults and what the flags say.
func controllerSettings(flags *pflag.FlagSet, words []string) (*config.ControllerConfiguration, error) {
	scheme, _, err := configscheme.NewSchemeAndCodecs()
	if err != nil {
		return nil, err
	}
	versioned, c := &versions.ControllerConfiguration{}, &config.ControllerConfiguration{}
	scheme.Default(versioned)
	if err := scheme.Convert(versioned, c, nil); err != nil {
		return nil, err
	}
	election, http01, dns01 := &c.LeaderElectionConfig, &c.ACMEHTTP01Config, &c.ACMEDNS01Config
	for name, value := range map[string]*string{
		"cluster-resource-namespace": &c.ClusterResourceNamespace,
		"leader-election-namespace":  &election.Namespace,
		"acme-http01-solver-image":   &http01.SolverImage,
	} {
		flags.StringVar(value, name, *value, "")
	}
	for name, value := range map[string]*bool{
		"enable-gateway-api":               &c.GatewayAPIConfig.Enabled,
		"enable-certificate-owner-ref":     &c.EnableCertificateOwnerRef,
		"dns01-recursive-nameservers-only": &dns01.RecursiveNameserversOnly,
	} {
		flags.BoolVar(value, name, *value, "")
	}
	for name, value := range map[string]*[]string{
		"controllers":                 &c.Controllers,
		"dns01-recursive-nameservers": &dns01.RecursiveNameservers,
	} {
		flags.StringSliceVar(value, name, *value, "")
	}
	flags.IntVar(&c.MaxConcurrentChallenges, "max-concurrent-challenges", c.MaxConcurrentChallenges, "")
	logs.AddFlags(&c.Logging, flags)
	if err := flags.Parse(words); err != nil {
		return nil, err
	}
	if err := validation.ValidateControllerConfiguration(c, nil).ToAggregate(); err != nil {
		return nil, err
	}
	return c, logs.ValidateAndApply(&c.Logging)
}

// contextOptions hands a configuration on to the controllers.
func contextOptions(c *config.ControllerConfiguration) (controller.ContextOptions, error) {
	acme := c.ACMEHTTP01Config
	nameservers := c.ACMEDNS01Config.RecursiveNameservers
	if len(nameservers) == 0 {
		nameservers = dns.RecursiveNameservers
	}
	options := controller.ContextOptions{
		APIServerHost:      c.APIServerHost,
		Kubeconfig:         c.KubeConfig,
		KubernetesAPIQPS:   c.KubernetesAPIQPS,
		KubernetesAPIBurst: c.KubernetesAPIBurst,
		Namespace:          c.Namespace,
		IssuerOptions: controller.IssuerOptions{
			ClusterResourceNamespace:        c.ClusterResourceNamespace,
			ClusterIssuerAmbientCredentials: c.ClusterIssuerAmbientCredentials,
			IssuerAmbientCredentials:        c.IssuerAmbientCredentials,
		},
		ACMEOptions: controller.ACMEOptions{
			HTTP01SolverImage:            acme.SolverImage,
			ACMEHTTP01SolverRunAsNonRoot: acme.SolverRunAsNonRoot,
			HTTP01SolverRuntimeClassName: acme.SolverRuntimeClassName,
			HTTP01SolverNameservers:      acme.SolverNameservers,
			HTTP01SolverExtraLabels:      acme.SolverExtraLabels,
			DNS01CheckAuthoritative:      !c.ACMEDNS01Config.RecursiveNameserversOnly,
			DNS01Nameservers:             nameservers,
			DNS01CheckRetryPeriod:        c.ACMEDNS01Config.CheckRetryPeriod,
		},
		IngressShimOptions: controller.IngressShimOptions{
			DefaultIssuerName:                 c.IngressShimConfig.DefaultIssuerName,
			DefaultIssuerKind:                 c.IngressShimConfig.DefaultIssuerKind,
			DefaultIssuerGroup:                c.IngressShimConfig.DefaultIssuerGroup,
			DefaultAutoCertificateAnnotations: c.IngressShimConfig.DefaultAutoCertificateAnnotations,
			ExtraCertificateAnnotations:       c.IngressShimConfig.ExtraCertificateAnnotations,
		},
		CertificateOptions: controller.CertificateOptions{
			EnableOwnerRef:                           c.EnableCertificateOwnerRef,
			CopiedAnnotationPrefixes:                 c.CopiedAnnotationPrefixes,
			CertificateRequestMinimumBackoffDuration: c.CertificateRequestMinimumBackoffDuration,
			CertificateRequestMaximumBackoffDuration: c.CertificateRequestMaximumBackoffDuration,
		},
		SchedulerOptions: controller.SchedulerOptions{MaxConcurrentChallenges: c.MaxConcurrentChallenges},
		ConfigOptions:    controller.ConfigOptions{EnableGatewayAPI: c.GatewayAPIConfig.Enabled},
	}
	var err error
	for text, quantity := range map[string]*resource.Quantity{
		acme.SolverResourceRequestCPU:    &options.HTTP01SolverResourceRequestCPU,
		acme.SolverResourceRequestMemory: &options.HTTP01SolverResourceRequestMemory,
		acme.SolverResourceLimitsCPU:     &options.HTTP01SolverResourceLimitsCPU,
		acme.SolverResourceLimitsMemory:  &options.HTTP01SolverResourceLimitsMemory,
	} {
		if *quantity, err = resource.ParseQuantity(text); err != nil {
			return options, err
		}
	}
	return options, nil
}

// enabled gives the controllers that a list such as `*,-orders` chooses.
func enabled(chosen []string) []string {
	var names []string
	for _, name := range chosen {
		switch {
		case name == "*":
			names = append(names, defaults.DefaultEnabledControllers...)
		case strings.HasPrefix(name, "-"):
			names = slices.DeleteFunc(names, func(each string) bool { return each == name[1:] })
		default:
			names = append(names, name)
		}
	}
	return names
}

// venafi is left out of the module: its library cannot be had.
const venafi = "certificaterequests-issuer-venafi"

// control runs the controllers until the context is done.
func control(ctx context.Context, factory *controller.ContextFactory, c *config.ControllerConfiguration) error {
	shared, err := factory.Build()
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	names := slices.DeleteFunc(enabled(c.Controllers), func(name string) bool { return name == venafi })
	if shim := "gateway-shim"; c.GatewayAPIConfig.Enabled && !slices.Contains(c.Controllers, "-"+shim) {
		names = append(names, shim)
	}
	for _, name := range names {
		make, known := controller.Known()[name]
		if !known {
			return fmt.Errorf("no controller %s", name)
		}
		made, err := make(factory)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		group.Go(func() error { return made.Run(c.NumberOfConcurrentWorkers, ctx) })
	}
	listener, err := net.Listen("tcp", c.MetricsListenAddress)
	if err != nil {
		return err
	}
	server := shared.Metrics.NewServer(listener)
	go func() { _ = server.Serve(listener) }()
	logs.FromContext(ctx).Info("starting controllers", "names", names)
	shared.SharedInformerFactory.Start(ctx.Done())
	shared.KubeSharedInformerFactory.Start(ctx.Done())
	shared.HTTP01ResourceMetadataInformersFactory.Start(ctx.Done())
	if c.GatewayAPIConfig.Enabled {
		shared.GWShared.Start(ctx.Done())
	}
	return group.Wait()
}

// elect runs something once this process is the leader, and ends when it has ended or the lead is lost.
func elect(
	ctx context.Context, factory *controller.ContextFactory, c config.LeaderElectionConfig, health *healthz.Server,
	run func(context.Context) error,
) error {
	if !c.Enabled {
		return run(ctx)
	}
	own, err := factory.Build("leader-election")
	if err != nil {
		return err
	}
	host, err := os.Hostname()
	if err != nil {
		return err
	}
	lock, err := resourcelock.New(
		resourcelock.LeasesResourceLock, c.Namespace, "cert-manager-controller",
		own.Client.CoreV1(), own.Client.CoordinationV1(),
		resourcelock.ResourceLockConfig{Identity: host, EventRecorder: own.Recorder},
	)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock:            lock,
		LeaseDuration:   c.LeaseDuration,
		RenewDeadline:   c.RenewDeadline,
		RetryPeriod:     c.RetryPeriod,
		ReleaseOnCancel: true,
		WatchDog:        health.LeaderHealthzAdaptor,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(ctx context.Context) { ended <- run(ctx); stop() },
			OnStoppedLeading: func() {},
		},
	})
	if err != nil {
		return err
	}
	elector.Run(ctx)
	select {
	case err := <-ended:
		return err
	default:
		return nil // it never led
	}
}

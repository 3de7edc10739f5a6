package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/brownout-dev/brownout/internal/build"
)

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(c.OutOrStdout(), build.String())
			return err
		},
	}
}

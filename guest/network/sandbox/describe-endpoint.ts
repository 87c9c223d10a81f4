import { newId, shortId } from '../../ids.ts';
import type { EndpointLink, EndpointRecord } from '../endpoint.ts';
import { hasNames, type NetworkRecord } from '../network.ts';
import type { EndpointRequest, SandboxRequest } from '../network-manager.ts';

type NamedContainer = Pick<SandboxRequest, 'containerId' | 'containerName' | 'hostname'>;

/** The record of a container's endpoint in a network. */
export function describeEndpoint(
  request: NamedContainer,
  of: {
    readonly network: NetworkRecord;
    readonly asked: EndpointRequest;
    readonly position: number;
    readonly link: EndpointLink | null;
  },
): EndpointRecord {
  const { network, asked, position, link } = of;
  return {
    endpointId: newId(),
    networkId: network.id,
    networkName: network.name,
    networkDriver: network.driver,
    containerId: request.containerId,
    containerName: request.containerName,
    position,
    link,
    asked,
    dnsNames: hasNames(network) ? dnsNames(request, asked.Aliases ?? []) : null,
  };
}

/** The endpoint of a container that is now called `name`. */
export function withNames(endpoint: EndpointRecord, name: string): EndpointRecord {
  const old = endpoint.containerName.replace(/^\//, '');
  const dnsNames = endpoint.dnsNames?.map((known) => (known === old ? name : known)) ?? null;
  return { ...endpoint, containerName: `/${name}`, dnsNames };
}

function dnsNames(request: NamedContainer, aliases: readonly string[]): string[] {
  const { containerName, containerId, hostname } = request;
  const id = shortId(containerId);
  return [...new Set([containerName.replace(/^\//, ''), ...aliases, id, hostname])];
}
